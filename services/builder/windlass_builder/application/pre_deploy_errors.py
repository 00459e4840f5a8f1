"""Why the command before the start did not succeed. Each message is a sentence for the person who deploys."""

from datetime import timedelta

from windlass_contracts.events.deployment import LogRange


class PreDeployError(Exception):
    """The command before the start did not succeed, and is not run again; `log` shows why."""

    exit_code: int | None = None
    log: LogRange | None = None


class PreDeployExitedError(PreDeployError):
    """It ended with another code than 0."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(
            f"The pre-deploy command ended with exit code {exit_code}; its last lines of output say why. "
            "What was live stays live."
        )
        self.exit_code = exit_code


class PreDeployOutOfMemoryError(PreDeployError):
    """It used more memory than a container of the app may."""

    def __init__(self, limit: int, exit_code: int) -> None:
        super().__init__(
            f"The pre-deploy command was stopped because it used more than {limit // 2**20} MiB of memory; "
            "make it use less, or raise the project's memory."
        )
        self.exit_code = exit_code


class PreDeployOutOfScratchError(PreDeployError):
    """It wrote more than a container of the app may, outside of its volumes."""

    def __init__(self, limit: int, exit_code: int) -> None:
        super().__init__(
            f"The pre-deploy command was stopped because it wrote more than {limit // 2**20} MiB outside of the app's "
            "volumes; make it write less, or raise the project's scratch space."
        )
        self.exit_code = exit_code


class PreDeployTimedOutError(PreDeployError):
    """It did not end within its deadline."""

    def __init__(self, limit: timedelta) -> None:
        super().__init__(
            f"The pre-deploy command was stopped because it took longer than {limit.total_seconds():g} s; "
            "make it faster, or raise the project's deadline for it (pre_deploy_s)."
        )


class PreDeployLostError(PreDeployError):
    """Nobody can say how it ended, or whether it began."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; as it may have run, it is not run again. See what it did, then deploy again.")
