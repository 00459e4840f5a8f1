"""A whole installation of its own, started by `windlass up` as a user starts it, and used through its API."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from support.private_machine import PrivateMachine
from support.terminal_command import TerminalCommand, in_terminal
from support.up_process import UpProcess

ANSWER_SECONDS = 60


@dataclass
class Platform:
    """An installation in `home`; its apps answer on `port`, its API where it says itself."""

    home: Path
    port: int
    runtime: str
    environment: Mapping[str, str] = field(default_factory=dict)
    own_session: bool = False
    machine: PrivateMachine | None = None
    """Where all of it runs, and dies when that loses its power; here without one."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.windlass("down", "--apps", "--home", str(self.home))

    def start(self) -> None:
        """Run `windlass up` until it says that it is ready."""
        options = ("--home", str(self.home), "--port", str(self.port), "--runtime", self.runtime)
        self.up = UpProcess(self.home, self.port, self.home / "config")
        self.up.command, self.up.environment = self._command("up", *options), self._environment
        self.up.own_session = self.own_session
        self.up.__enter__()
        try:
            self.up.wait_for("Stop: ")
        except BaseException:
            self.up.__exit__()
            raise

    def stop(self) -> None:
        """Stop it in order, as Ctrl-C does."""
        self.up.send(signal.SIGTERM)
        self.up.exit_code()
        self.up.__exit__()

    def kill(self) -> None:
        """Kill the supervisor, which takes all of the control plane with it."""
        self.up.__exit__()

    def kill_service(self, name: str) -> None:
        """Kill one service, and wait until it was started again."""
        os.kill(self.up.services()[f"wl-{name}"], signal.SIGKILL)
        self.up.wait_for(f"{name} runs again")

    def windlass(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command as a user of this installation."""
        return subprocess.run(
            self._command(*arguments), check=False, capture_output=True, text=True, env=self._environment, timeout=300
        )

    @contextmanager
    def in_terminal(self, *arguments: str) -> Iterator[TerminalCommand]:
        """Start the command as a user who sits before a terminal."""
        with in_terminal(self._command(*arguments), self._environment) as command:
            yield command

    def piped(self, content: bytes, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run the command with that at its standard input."""
        return subprocess.run(
            self._command(*arguments),
            check=False,
            capture_output=True,
            input=content,
            env=self._environment,
            timeout=300,
        )

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command as a user of this installation."""
        pipe = subprocess.PIPE
        heeding = ("env", "--default-signal=INT")  # whatever those who run the tests do with it
        return subprocess.Popen(
            [*heeding, *self._command(*arguments)],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            env=self._environment,
        )

    def api(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return the status and the answer of one request to the API."""
        profile = json.loads((self.home / "cli.json").read_text())
        connection = self.connected(profile["api_url"].removeprefix("http://"))
        said = {"Authorization": f"Bearer {profile['token']}", "Content-Type": "application/json", **(headers or {})}
        content = None if body is None else json.dumps(body)
        try:
            connection.request(method, f"/api/v1{path}", content, said)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()

    def at_least(self, sequence: int, path: str) -> Any:  # noqa: ANN401 - what JSON has
        """Return what the API says at a path once it knows of a sequence; where that takes it too long, ask again."""
        end = time.monotonic() + ANSWER_SECONDS
        status, answer = self.api("GET", f"{path}?at_least={sequence}")
        while status == HTTPStatus.SERVICE_UNAVAILABLE and time.monotonic() < end:
            status, answer = self.api("GET", f"{path}?at_least={sequence}")
        assert status == HTTPStatus.OK, answer
        return answer

    def get(self, alias: str, path: str = "/", *, whole: bool = False) -> tuple[int, bytes]:
        """Return what an app answers at its address; `whole` says that it is a whole host, not a label of ours."""
        host = alias if whole else f"{alias}.localhost"
        connection = self.connected(f"127.0.0.1:{self.port}")
        try:
            connection.request("GET", path, headers={"Host": f"{host}:{self.port}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def connected(self, address: str, timeout_s: float = ANSWER_SECONDS) -> http.client.HTTPConnection:
        """Return a connection that was made where the platform runs.

        Raises: OSError: nobody took it, or the machine is off.
        """
        connection = http.client.HTTPConnection(address, timeout=timeout_s)
        with self.network():
            connection.connect()
        return connection

    def network(self) -> AbstractContextManager[None]:
        """Have this thread live where the platform runs."""
        return nullcontext() if self.machine is None else self.machine.network()

    def events(self) -> Iterator[Mapping[str, Any]]:
        """Yield all events that the log has now."""
        for line in self.windlass("events", "--json").stdout.splitlines():
            yield json.loads(line)

    def follow_events(self, after: int = 0) -> Iterator[Mapping[str, Any]]:
        """Yield all events of the log behind a sequence, then those to come; a minute without one ends it."""
        profile = json.loads((self.home / "cli.json").read_text())
        connection = self.connected(profile["api_url"].removeprefix("http://"))
        try:
            authorization = {"Authorization": f"Bearer {profile['token']}"}
            connection.request("GET", f"/api/v1/events?after={after}&follow=true", headers=authorization)
            for line in connection.getresponse():
                if line.strip():
                    yield json.loads(line)
        finally:
            connection.close()

    @property
    def pid(self) -> int:
        """The supervisor's."""
        return self.up.pid

    @property
    def installation(self) -> str:
        return str(json.loads((self.home / "installation.json").read_text())["id"])

    def _command(self, *arguments: str) -> list[str]:
        command = (str(Path(sys.executable).with_name("windlass")), *arguments)
        return [*command] if self.machine is None else [*self.machine.inside(*command)]

    @property
    def _environment(self) -> dict[str, str]:
        own = {"WINDLASS_HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "NO_COLOR": "1"}
        return {**os.environ, **own, **self.environment}
