"""What somebody who knows the commands does to deploy a commit: what Windlass is measured against."""

import http.client
import secrets
import subprocess
import time
from pathlib import Path
from typing import Self

from support.git_server import Repository

RUNNER = "windlass/runner-python:3.11"
EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "hello-python" / "server.py"
HARDENED = (
    *("--cap-drop=ALL", "--security-opt=no-new-privileges", "--memory=512m", "--cpus=1", "--pids-limit=256", "--init"),
    *("--log-driver=local", "--tmpfs=/tmp", "--user=10001:10001"),
)


def first_answer(host: str, port: int, header: str, expected: str) -> None:
    """Ask until the expected commit answers; asking again at once is what a waiting user's reload comes to."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", "/", headers={"Host": header})
            if expected in connection.getresponse().read().decode():
                return
        except OSError:
            pass  # it does not listen yet: asked again below
        finally:
            connection.close()
        time.sleep(0.003)
    message = f"{header} did not answer with {expected}"
    raise TimeoutError(message)


def new_commit(repository: Repository) -> tuple[str, str]:
    """Return the SHA of a new commit and the word that its answer contains."""
    word = secrets.token_hex(6)
    return repository.commit({"server.py": EXAMPLE.read_text().replace("Hello from", f"{word} from")}), word


class ByHand:
    """What somebody who knows the commands does, in a network with addresses of its own choosing."""

    def __init__(self, folder: Path, repository: Repository, url: str, subnet: str = "10.250.250") -> None:
        self.subnet = subnet
        self.name = f"windlass-bench-{secrets.token_hex(4)}"
        self.mirror = folder / "mirror.git"
        self.folder = folder
        self.repository = repository
        self.url = url
        self.run = 0

    def __enter__(self) -> Self:
        command("git", "init", "--quiet", "--bare", str(self.mirror))
        command("docker", "network", "create", f"--subnet={self.subnet}.0/24", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        runs = range(1, self.run + 1)
        command("docker", "rm", "--force", *(f"{self.name}-{run}" for run in runs))
        command("docker", "rmi", "--force", *(f"{self.name}:{run}" for run in runs))
        command("docker", "network", "rm", self.name)

    def deploy(self) -> float:
        """Return the milliseconds from the first command to the first answer."""
        sha, word = new_commit(self.repository)
        self.run += 1
        # A name of its own: buildx tells BuildKit a folder's last name alone, and files of two that are alike in name,
        # size and second are taken for the same.
        context = self.folder / f"{self.name}-context-{self.run}"
        context.mkdir()
        image, address = f"{self.name}:{self.run}", f"{self.subnet}.{self.run + 10}"
        began = time.monotonic()
        git = ("git", "-C", str(self.mirror))
        command(*git, "fetch", "--quiet", "--depth", "1", self.url, sha)
        command("sh", "-c", f"git -C {self.mirror} archive {sha} | tar -x -C {context}")
        (context / "Dockerfile").write_text(f"FROM {RUNNER}\nCOPY server.py /app/server.py\n")
        command("docker", "build", "--quiet", "--tag", image, str(context))
        where = ("--name", f"{self.name}-{self.run}", "--network", self.name, "--ip", address)
        told = ("--env", "PORT=8000", "--env", f"WINDLASS_COMMIT={sha}")
        command("docker", "run", "--detach", *HARDENED, *where, *told, image, "python3", "/app/server.py")
        first_answer(address, 8000, "app", word)
        return (time.monotonic() - began) * 1_000


def command(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True)
