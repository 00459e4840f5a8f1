"""The gateway's record tables. Append to the list; nothing in it is ever edited or removed."""

from windlass_eventlog.postgres.records import Records

_SIGN_IN_LINKS = """
CREATE TABLE {schema}.sign_in_links (
    digest text PRIMARY KEY,
    person uuid NOT NULL,
    team uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    used_by uuid
)
"""

_EVENT_LOGS = """
CREATE TABLE {schema}.event_logs (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_created timestamptz NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    position bigint NOT NULL DEFAULT 0
)
"""

# Bytes, where a text of PostgreSQL would refuse what a message may hold.
_EVENTS = """
CREATE TABLE {schema}.events (
    log integer NOT NULL,
    sequence bigint NOT NULL,
    stored_at timestamptz NOT NULL,
    subject bytea NOT NULL,
    headers json NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (log, sequence)
)
"""

RECORDS = Records("gateway", (_SIGN_IN_LINKS, _EVENT_LOGS, _EVENTS))
