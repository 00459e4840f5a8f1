"""Node, on which apps run where they run as plain processes."""

from pathlib import Path

from windlass.provisioning.packages import Program, ensure_program
from windlass.provisioning.progress import Progress

NODE = Program("Node", ["node"], ["nodejs"])


def ensure_node(progress: Progress) -> Path:
    """Return this machine's Node, installed from Debian's package if need be.

    Raises:
        ProgramMissingError: it is absent, and cannot be installed here.
    """
    return ensure_program(NODE, progress)
