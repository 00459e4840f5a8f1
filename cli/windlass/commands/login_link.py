"""`windlass login-link`."""

from datetime import UTC, datetime

from windlass.api import Api, Json
from windlass.commands.running import AsJson, print_json, print_line, run
from windlass.terminal import duration, plain


def login_link(*, as_json: AsJson = False) -> None:
    """Make a link that signs you in to the dashboard: once, and within 15 minutes."""

    async def make(api: Api) -> Json:
        return await api.post("/sign-in-links", None)

    made = run(make)
    if as_json:
        print_json(made)
        return
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    print_line(plain(made["url"]))
    print_line(f"It signs in whoever opens it first, once, within {duration(int(left.total_seconds() * 1_000))}.")
