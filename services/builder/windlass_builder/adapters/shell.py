"""How a start command is given to the shell."""


def ending_gently(command: str) -> str:
    """Return a script that runs the command so that it can end in peace.

    A stop signals every process of the app at once. The shell must outlive it: were it to die of the signal, the
    sandbox would end with it, and the app's grace with the sandbox.
    """
    return f"trap 'exit 143' TERM\n{command}"
