"""What detection cannot do."""

from windlass_builder.domain.detection.static import PAGE

_WHAT_WOULD_SAY = {
    "python": "name the program main.py, app.py or server.py",
    "node": "add a start script to package.json, or name the program server.js",
    "static": f"put an {PAGE} at the root or in public/",
}


class BrokenManifestError(Exception):
    """A file that says what has to be installed cannot be read."""

    def __init__(self, name: str, line: int | None, said: str) -> None:
        place = name if line is None else f"{name}, line {line}"
        super().__init__(f"{place}: {said}.")
        self.name = name
        self.line = line


class NothingToStartError(Exception):
    """Nothing in the source says how it is started, on the wanted runner where one is wanted."""

    def __init__(self, runner: str | None = None) -> None:
        ways = [_WHAT_WOULD_SAY[runner]] if runner in _WHAT_WOULD_SAY else list(_WHAT_WOULD_SAY.values())
        on = "" if runner is None else f" on the runner {runner}"
        super().__init__(
            f"Nothing says how this source is started{on}: give a start command, add a Procfile with a line "
            f"`web: ...`, {', '.join(ways[:-1])}{', or ' if ways[:-1] else 'or '}{ways[-1]}."
        )
