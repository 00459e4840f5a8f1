"""How a start command is given to the shell."""

from windlass_builder.domain.workloads import RunnerSpec


def ending_gently(command: str) -> str:
    """Return a script that runs the command so that it can end in peace.

    A stop signals every process of the app at once. The shell must outlive it: were it to die of the signal, the
    sandbox would end with it, and the app's grace with the sandbox.
    """
    return f"trap 'exit 143' TERM\n{command}"


_ENDS_WITH_WHAT_IT_WAITS_FOR = "trap 'code=$?; [ $code -lt 128 ] || exit $code' INT\n"
"""Ctrl-C goes to the shell too: it ends if the program that it waits for was ended by it, and not if that lives on."""


def script_of(spec: RunnerSpec) -> str:
    """Return the script of a runner. A command with a console is killed, and never asked to end."""
    command = spec.command or ""
    if spec.console is None:
        return ending_gently(command)
    return _ENDS_WITH_WHAT_IT_WAITS_FOR + command if spec.console.terminal else command
