"""What repositories are fetched with beside Git itself, and the server that tests sign in to."""

from pathlib import Path

from windlass.provisioning.packages import Program, ensure_program
from windlass.provisioning.progress import Progress

SSH = Program("the SSH client", ["ssh"], ["openssh-client"])
GIT_LFS = Program("Git LFS", ["git-lfs"], ["git-lfs"])
_SSH_SERVER = Program("the SSH server", ["sshd", "/usr/sbin/sshd"], ["openssh-server"])


def ensure_ssh_client(progress: Progress) -> Path:
    """Return `ssh`, by which repositories with a deploy key are fetched.

    Raises:
        ProgramMissingError: it is absent, and cannot be installed here.
    """
    return ensure_program(SSH, progress)


def ensure_git_lfs(progress: Progress) -> Path:
    """Return `git-lfs`, by which large files are fetched that a repository keeps beside its commits.

    Raises:
        ProgramMissingError: it is absent, and cannot be installed here.
    """
    return ensure_program(GIT_LFS, progress)


def ensure_ssh_server(progress: Progress) -> Path:
    """Return `sshd`, which tests start for themselves.

    Raises:
        ProgramMissingError: it is absent, and cannot be installed here.
    """
    return ensure_program(_SSH_SERVER, progress)
