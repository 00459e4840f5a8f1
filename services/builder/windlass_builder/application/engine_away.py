"""Waiting for an engine that is away: no failure of whoever needs it, however long that takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from windlass_builder.application.runtime_errors import AddressesExhaustedError, EngineError
from windlass_eventlog.errors import TryAgain

ENGINE_AWAY = timedelta(seconds=2)


@contextmanager
def engine_may_be_away() -> Iterator[None]:
    """Have a reactor woken up again once the engine may be back.

    Raises:
        TryAgain: it did not answer, or had no address free.
    """
    try:
        yield
    except (EngineError, AddressesExhaustedError) as error:
        raise TryAgain(ENGINE_AWAY, str(error)) from error
