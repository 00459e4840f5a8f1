"""How a start command is given to the shell."""

from windlass_builder.domain.workloads import RunnerSpec


def ending_gently(command: str) -> str:
    """Return a script that runs the command so that it can end in peace.

    A stop signals every process of the app at once. The shell must outlive it: were it to die of the signal, the
    sandbox would end with it, and the app's grace with the sandbox.
    """
    return f"trap 'exit 143' TERM\n{command}"


def script_of(spec: RunnerSpec) -> str:
    """Return the script of a runner. A command with a console is killed, never asked, and runs as it stands.

    A shell that waits behind it would take Ctrl-C for its own, and end with 130 whatever the command made of that.
    """
    command = spec.command or ""
    return ending_gently(command) if spec.console is None else command
