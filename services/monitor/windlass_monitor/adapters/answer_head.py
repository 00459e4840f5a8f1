"""The beginning of an HTTP answer as far as its status, in whatever pieces it comes.

Source: https://www.rfc-editor.org/rfc/rfc9112#name-status-line
"""

import re

_HEAD_BYTES = 16 * 1024
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r?\n")
_FIRST_FINAL_STATUS = 200


class NotHttpError(Exception):
    """What came back is not HTTP."""


class AnswerHead:
    """The lines that came so far, at most 16 KiB of them."""

    __slots__ = ("_budget", "_interim", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._budget = _HEAD_BYTES
        self._interim = False

    def status_after(self, data: bytes) -> int | None:
        """Return the final status, None while it did not come yet.

        Raises:
            NotHttpError: it will not come.
        """
        self._rest = (self._rest + data)[: self._budget + 1]
        while line := self._line():
            if self._interim:
                self._interim = bool(line.strip())  # up to the end of it: then another answer follows
                continue
            status = _status(line)
            if status >= _FIRST_FINAL_STATUS:
                return status
            self._interim = True  # 100 Continue, 103 Early Hints
        return None

    def _line(self) -> bytes:
        """Return the next line, nothing while it is not whole."""
        end = self._rest.find(b"\n") + 1
        if (end or len(self._rest)) > self._budget:
            raise NotHttpError
        line, self._rest = self._rest[:end], self._rest[end:]
        self._budget -= end
        return line


def _status(line: bytes) -> int:
    found = _STATUS_LINE.fullmatch(line)
    if found is None:
        raise NotHttpError
    return int(found[1])
