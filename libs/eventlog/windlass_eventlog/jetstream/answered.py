"""One error for whatever goes wrong between this client and the server."""

from collections.abc import Iterator
from contextlib import contextmanager

import nats.errors

from windlass_eventlog.errors import LogUnavailableError


@contextmanager
def answered(what: str) -> Iterator[None]:
    """Turn silence, lost connections and unforeseen refusals of the server into one error.

    Raises:
        LogUnavailableError: NATS did not do what it was asked to about `what`.
    """
    try:
        yield
    except (nats.errors.Error, OSError) as error:
        msg = f"NATS did not answer about {what}: {str(error) or type(error).__name__}"
        raise LogUnavailableError(msg) from error
