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

RECORDS = Records("gateway", (_SIGN_IN_LINKS,))
