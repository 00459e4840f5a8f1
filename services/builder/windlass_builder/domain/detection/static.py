"""Pages that are served as they are, by the static server of our runners."""

import shlex

from windlass_builder.domain.detection.listing import Listing
from windlass_builder.domain.detection.start import Start

PAGE = "index.html"
SERVER = "windlass-static"
"""The program in the runners that serves the first of the folders it is given that has an index.html, on $PORT."""


def start(listing: Listing) -> Start | None:
    """Return how the pages are served: those at the root, or else those in public/."""
    if PAGE in listing.names:
        return Start(serving(), "index-html", builds=False)
    if f"public/{PAGE}" in listing.names:
        return Start(serving("public"), "public-folder", builds=False)
    return None


def serving(*folders: str) -> str:
    """Return the command that serves the first of the folders that has pages; the app's own folder without any."""
    return shlex.join(["exec", SERVER, *folders])


def serves(command: str) -> bool:
    """Return whether the command is one that serves pages."""
    return SERVER in command.split()[:2]
