"""Where everything of one installation lies."""

from dataclasses import dataclass
from pathlib import Path

from windlass.up.errors import StateError

_PUBLIC_TRAVERSAL = 0o711  # apps that run as processes of another user reach their own folder below it
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Home:
    """The state folder of one installation; `root` is absolute."""

    root: Path

    @property
    def installation(self) -> Path:
        return self.root / "installation.json"

    @property
    def credentials(self) -> Path:
        return self.root / "credentials.json"

    @property
    def secrets_keys(self) -> Path:
        """One Fernet key a line, the newest first."""
        return self.root / "secrets.keys"

    @property
    def session_keys(self) -> Path:
        """Like `secrets_keys`, for the dashboard's sessions."""
        return self.root / "sessions.keys"

    def nats_seed(self, user: str) -> Path:
        """What a user of the NATS server signs with: each process is told its own alone."""
        return self.root / "nkeys" / f"{user}.seed"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def runtime(self) -> Path:
        return self.root / "runtime"

    @property
    def client(self) -> Path:
        return self.root / "cli.json"

    @property
    def running_lock(self) -> Path:
        return self.root / "up.lock"

    @property
    def children_lock(self) -> Path:
        return self.root / "children.lock"

    @property
    def runners_lock(self) -> Path:
        """Held while runners are prepared: the builder waits for that with what needs them."""
        return self.root / "runners.lock"

    @property
    def nats(self) -> Path:
        return self.root / "nats"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def traefik(self) -> Path:
        return self.root / "traefik"

    @property
    def routes(self) -> Path:
        """The folder of the file that Traefik watches."""
        return self.traefik / "dynamic"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders that are missing.

        Raises:
            StateError: the folder cannot be made or written to.
        """
        try:
            self.root.mkdir(mode=_PUBLIC_TRAVERSAL, parents=True, exist_ok=True)
            for folder in (self.nats, self.postgres, self.traefik, self.routes, self.logs):
                folder.mkdir(mode=_PRIVATE, exist_ok=True)
        except OSError as error:
            raise StateError(
                f"The state folder {self.root} cannot be used: {error.strerror}.",
                "Choose another with --home, or correct its owner and mode.",
            ) from error
