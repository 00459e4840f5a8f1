"""All events of an installation as its API tells them, read on through every restart of whoever tells them."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from support.platform import Platform

Happened = Mapping[str, Any]
_ASK_AGAIN_S = 0.05
_SILENCE_S = 5.0


class EventFollower:
    """Reads in a thread of its own for the time of a `with` block; `events` is what it has, without a gap."""

    def __init__(self, platform: Platform) -> None:
        profile = json.loads((platform.home / "cli.json").read_text())
        self._address = profile["api_url"].removeprefix("http://")
        self._platform = platform
        self._headers = {"Authorization": f"Bearer {profile['token']}"}
        self._changed = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.events: list[Happened] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True

    @property
    def head(self) -> int:
        with self._changed:
            return len(self.events)

    def wait_for(self, wanted: Callable[[Happened], bool], after: int, within_s: float) -> Happened | None:
        """Return the first event behind `after` that is wanted; None where none came in time."""
        until, seen = time.monotonic() + within_s, after
        with self._changed:
            while True:
                for event in self.events[seen:]:
                    if wanted(event):
                        return event
                seen = len(self.events)
                if not self._changed.wait_for(lambda: len(self.events) > seen, until - time.monotonic()):  # noqa: B023
                    return None

    def _follow(self) -> None:
        while not self._ending:
            try:
                self._read_on()
            except (OSError, http.client.HTTPException):
                time.sleep(_ASK_AGAIN_S)  # whoever tells them is being started again, and gives no other sign

    def _read_on(self) -> None:
        connection = self._platform.connected(self._address, _SILENCE_S)
        try:
            connection.request("GET", f"/api/v1/events?after={self.head}&follow=true", headers=self._headers)
            for line in connection.getresponse():
                if line.strip():
                    self._take(json.loads(line))
        finally:
            connection.close()

    def _take(self, event: Happened) -> None:
        if "problem" in event:
            raise ConnectionError(event)
        with self._changed:
            if event["sequence"] != len(self.events) + 1:
                raise AssertionError(f"{event['sequence']} follows {len(self.events)}")
            self.events.append(event)
            self._changed.notify_all()
