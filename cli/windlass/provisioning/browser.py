"""The browser that the dashboard's tests drive."""

from pathlib import Path

from windlass.provisioning.packages import Program, ensure_program
from windlass.provisioning.progress import Progress

CHROMIUM = Program("Chromium", ["chromium", "chromium-browser", "google-chrome"], ["chromium"])


def ensure_browser(progress: Progress) -> Path:
    """Return Chromium.

    Raises:
        ProgramMissingError: it is absent and cannot be installed from here.
    """
    return ensure_program(CHROMIUM, progress)
