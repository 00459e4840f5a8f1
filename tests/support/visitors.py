"""Visitors of one address, each asking again and again over a connection that is kept."""

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.platform import Platform

VISITORS = 3
BETWEEN_REQUESTS_S = 0.05
_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Failure:
    """A request that got no good answer; times are seconds since 1970."""

    began: float
    ended: float
    why: str
    broke_off: bool
    """Whether no HTTP came back at all."""
    connected_at: float | None
    """Since when its connection was there; None where there came to be none."""


@dataclass
class Visitors:
    """What visitors of `host` on a platform saw. Times are seconds since 1970."""

    platform: Platform
    host: str
    requests: int = 0
    failures: list[Failure] = field(default_factory=list)
    _ending: bool = False

    @contextmanager
    def visiting(self) -> Iterator[None]:
        """Visit for the time of the block."""
        threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(VISITORS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ending = True
            for thread in threads:
                thread.join()

    def failures_since(self, moment: float) -> Sequence[Failure]:
        return [failure for failure in self.failures if failure.ended >= moment]

    def _visit(self) -> None:
        while not self._ending:
            began = time.time()
            try:
                connection = self.platform.connected(f"127.0.0.1:{self.platform.port}", _PATIENCE_S)
            except OSError as error:
                self._broke_off(began, error, None)
                continue
            connected_at = time.time()
            try:
                while not self._ending and self._asked(connection, connected_at):
                    time.sleep(BETWEEN_REQUESTS_S)
            finally:
                connection.close()

    def _asked(self, connection: http.client.HTTPConnection, connected_at: float) -> bool:
        """Ask once; say whether the connection can be kept."""
        began = time.time()
        try:
            connection.request("GET", "/", headers={"Host": self.host})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._broke_off(began, error, connected_at)
            return False
        self.requests += 1
        if answer.status != 200:
            why = f"{answer.status} {answer.reason}"
            self.failures.append(Failure(began, time.time(), why, broke_off=False, connected_at=connected_at))
        return answer.status == 200 and not answer.will_close

    def _broke_off(self, began: float, error: Exception, connected_at: float | None) -> None:
        self.failures.append(Failure(began, time.time(), repr(error), broke_off=True, connected_at=connected_at))
        time.sleep(BETWEEN_REQUESTS_S)
