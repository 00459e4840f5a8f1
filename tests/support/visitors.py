"""Visitors of one address, each asking again and again over a connection that is kept."""

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

VISITORS = 3
BETWEEN_REQUESTS_S = 0.05
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Failure:
    """A request that got no good answer; `refused` where nobody took it or it was cut off: no HTTP came back at all."""

    began: float
    ended: float
    why: str
    refused: bool


@dataclass
class Visitors:
    """What visitors of `host` on `port` saw. Times are seconds since 1970."""

    port: int
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
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE_S)
            try:
                while not self._ending and self._asked(connection):
                    time.sleep(BETWEEN_REQUESTS_S)
            finally:
                connection.close()

    def _asked(self, connection: http.client.HTTPConnection) -> bool:
        """Ask once; say whether the connection can be kept."""
        began = time.time()
        try:
            connection.request("GET", "/", headers={"Host": self.host})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(Failure(began, time.time(), repr(error), refused=True))
            time.sleep(BETWEEN_REQUESTS_S)
            return False
        self.requests += 1
        if answer.status != 200:
            self.failures.append(Failure(began, time.time(), f"{answer.status} {answer.reason}", refused=False))
        return answer.status == 200
