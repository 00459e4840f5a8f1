"""The page about rights: `python -m windlass_eventlog.rights_page >docs/permissions.md`."""

import sys
from collections.abc import Iterator

from windlass_eventlog.rights import USERS, rights_of

_HEAD = """# Who may do what on NATS

Written by `python -m windlass_eventlog.rights_page`; change `windlass_eventlog/rights.py`.

Each service is a user of its own, known by the public half of an nkey; its seed lies in a file of its own that
`WINDLASS_NATS_SEED_FILE` names. `windlass up` makes the seeds (`nkeys/` in the state folder) and the server's
configuration. A server of your own gets these users as `authorization.users`: `windlass_eventlog.rights.server_users`
returns that list for the public keys that it is given. It has to be nats-server 2.11 or later.

What is not listed is denied. A service that is refused something ends, and the last line of its log names the subject.
Why no service may make a consumer stands in [decision 22](decisions/0022-one-user-per-service.md).
"""


def page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for user in USERS:
        rights = rights_of(user)
        yield f"## {user}\n\nPublishes to:\n"
        yield from (f"- `{subject}`" for subject in rights.publish)
        yield "\nSubscribes to:\n"
        yield from (f"- {_told(subject)}" for subject in rights.subscribe)
        yield ""


def _told(subject: str) -> str:
    name, _, group = subject.partition(" ")
    return f"`{name}`, in the queue group `{group}`" if group else f"`{name}`"


if __name__ == "__main__":
    sys.stdout.write(page())
