"""The monitor's settings, from the environment."""

from pydantic import HttpUrl

from windlass_eventlog.settings import CommonSettings


class MonitorSettings(CommonSettings):
    """What the monitor needs to know beyond what every service does.

    `traefik_api_url` is Traefik's API as this machine reaches it: its counters are below it. Without one, answers are
    not counted, and what fails is seen by its containers alone.
    """

    traefik_api_url: HttpUrl | None = None
