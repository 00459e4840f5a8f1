"""No orphans: the kernel ends a child whose parent is gone, however the parent ended."""

import ctypes
import os
import signal
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_PR_SET_NAME = 15


def end_with_parent(parent: int, by: signal.Signals) -> None:
    """Have the kernel send `by` to this process when the thread that forked it ends; call it in the child.

    A later change of user clears the setting (prctl(2)), so call it after that. A parent that died before the call is
    noticed by comparing ids. Only Linux has this: elsewhere a killed supervisor leaves its children running.
    """
    if sys.platform != "linux":
        return
    if _LIBC.prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        os.kill(os.getpid(), by)


def name_this_process(name: str) -> None:
    """Set the name that ps and top show; the kernel keeps 15 bytes of it."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
