"""Why a page has to be loaded anew: going on from where it stands would leave something out."""

from enum import StrEnum

from windlass_gateway.entrypoints.live.frames import named


class Reset(StrEnum):
    """The reasons that the page is told."""

    NONSENSE = "nonsense"
    OTHER_LOG = "other-log"
    FUTURE = "future"
    TOO_FAR_BACK = "too-far-back"


class ResetError(Exception):
    """What a viewer missed cannot be told."""

    def __init__(self, why: Reset) -> None:
        super().__init__(why)
        self.why = why

    @property
    def body(self) -> bytes:
        return named("reset", {"why": self.why})
