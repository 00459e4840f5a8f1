"""What a user does with one project, and waits for."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from support.platform import Platform

PATIENCE_S = 60.0
BETWEEN_REQUESTS_S = 0.05
ENDS = ("deployment.live.v1", "deployment.failed.v1", "deployment.canceled.v1", "deployment.superseded.v1")


@dataclass(frozen=True)
class Story:
    """One project of an installation."""

    platform: Platform
    project: str

    def request(self, url: str, ref: str = "main", **config: object) -> str:
        """Ask for a deployment and return its id."""
        body = {"git": url, "ref": ref, "project": self.project, "config": config}
        status, answer = self.platform.api("POST", "/deployments", body)
        assert status == 202, answer
        return str(answer["deployment"])

    def deploy(self, url: str, ref: str = "main", **config: object) -> Mapping[str, Any]:
        """Ask for a deployment, wait for its end, and return what is known of it then."""
        return self.ended(self.request(url, ref, **config))

    def ended(self, deployment: str) -> Mapping[str, Any]:
        """Wait for the end of a deployment on the log itself, and return what is known of it then."""
        for event in self.platform.follow_events():
            if event["type"] in ENDS and event["about"] == deployment:
                return dict(self.platform.at_least(event["sequence"], f"/deployments/{deployment}"))
        raise AssertionError(f"the log ended before deployment {deployment} did")

    def waited_for(self, kind: str, about: str) -> Mapping[str, Any]:
        """Wait for an event of a type about a deployment or project."""
        for event in self.platform.follow_events():
            if event["type"] == kind and event["about"] == about:
                return event
        raise AssertionError(f"the log ended without {kind}")

    def roll_back(self, to: str) -> None:
        """Ask for a rollback, and wait until its routes are confirmed."""
        self.until_moved(self.ask_back(to))

    def ask_back(self, to: str) -> int:
        """Ask for a rollback and return its sequence."""
        status, answer = self.platform.api("POST", f"/projects/{self.project}/rollback", {"to": to})
        assert status == 202, answer
        return int(answer["sequence"])

    def until_moved(self, asked: int) -> None:
        """Wait until the first move of addresses since then is confirmed."""
        moved = False
        for event in self.platform.follow_events(asked):
            moved = moved or event["type"] == "aliases.changed.v1"
            if moved and event["type"] == "routes.applied.v1":
                return
            assert event["type"] != "routes.failed.v1", event
        raise AssertionError("the log ended without confirmed routes")

    def types_of(self, deployment: str) -> Sequence[str]:
        """Return the types of all events about a deployment."""
        return [event["type"] for event in self.platform.events() if event["about"] == deployment]

    def answer(self, alias: str | None = None) -> tuple[int, str]:
        """Return what the project answers at its own address, or at another one."""
        status, body = self.platform.get(alias or self.project)
        return status, body.decode()

    def until_it_answers(self) -> None:
        """Ask until the project answers well, as a visitor would; a minute is too long."""
        end = time.monotonic() + PATIENCE_S
        while (status := self._asked()) != HTTPStatus.OK:
            assert time.monotonic() < end, status
            time.sleep(BETWEEN_REQUESTS_S)

    def _asked(self) -> int | str:
        try:
            return self.answer()[0]
        except (OSError, HTTPException) as error:
            return repr(error)

    def lines(self, deployment: str) -> list[str]:
        """Return the texts of all lines that a deployment's build and containers wrote."""
        said = self.platform.windlass("logs", deployment, "--json")
        assert said.returncode == 0, said.stderr
        return [json.loads(line)["text"] for line in said.stdout.splitlines()]

    def lines_until(self, deployment: str, text: str) -> list[str]:
        """Return its lines once one has the text: what a container wrote last arrives a moment after its end."""
        with self.platform.started("logs", deployment, "--follow", "--json") as following:
            assert following.stdout is not None
            arrived = any(text in json.loads(line)["text"] for line in following.stdout)
            following.terminate()
        assert arrived, text
        return self.lines(deployment)
