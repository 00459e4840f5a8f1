"""A service's own log: one JSON document a line on standard output."""

import structlog


def configure_log() -> None:
    """Let structlog write JSON. Tracebacks show code and never the values of variables: those may be secrets."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )
