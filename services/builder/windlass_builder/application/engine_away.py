"""Waiting for an engine that is away: no failure of whoever needs it, however long that takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from windlass_builder.application.runtime_errors import AddressesExhaustedError, EngineError
from windlass_eventlog.errors import TryAgain

ENGINE_AWAY = timedelta(seconds=2)
_LONGEST = timedelta(minutes=1)


@contextmanager
def engine_may_be_away(tries: int = 0) -> Iterator[None]:
    """Have a reactor woken up again once the engine may be back; later, the more often that was tried in vain.

    Raises:
        TryAgain: it did not answer, or had no address free.
    """
    try:
        yield
    except (EngineError, AddressesExhaustedError) as error:
        raise TryAgain(min(ENGINE_AWAY * 2 ** min(tries, 5), _LONGEST), str(error)) from error
