"""What travels between a command and whoever sits before it: frames, the same on a WebSocket and on `TERMINALS`.

Each direction is a stream of bytes, counted from 0; whoever takes bytes in says how far they got (`TAKEN`), so that
nobody sends more than `WINDOW` ahead, and what was lost on the way is sent again. Standard library only: the command
line loads this.
"""

import struct
from dataclasses import dataclass
from enum import Enum

LARGEST_DATA = 32 * 1024
"""Bytes of one frame."""
WINDOW = 256 * 1024
"""How many bytes may be on their way in one direction."""
MOST_ROWS = MOST_COLUMNS = 2_000
STAYS_S = 10.0
"""How often whoever is there says so."""

_HEAD = struct.Struct(">cQ")
_SIZE = struct.Struct(">HH")
_HERE = struct.Struct(">Q16s")
_MARK = struct.Struct("16s")


class FrameError(ValueError):
    """These bytes are no frame."""


class FrameKind(Enum):
    """What a frame is for; who may send which is said in `TO_COMMAND` and `TO_PERSON`."""

    HERE = b"h"
    """Somebody came (again): they have the output up to the offset, and know their input taken up to `base`."""
    WELCOME = b"w"
    """The answer, with the same `mark`: all that they lack comes behind it, and input is taken up to the offset."""
    STAYS = b"p"
    """They are still there."""
    INPUT = b"i"
    END = b"e"
    """There is no more input behind the offset."""
    SIZE = b"s"
    """Their window has this many rows and columns."""
    TAKEN = b"t"
    """Bytes up to the offset arrived: in their hands, or in the command's input."""
    OUT = b"o"
    ERR = b"x"
    """Of both outputs, one offset counts all bytes."""


TO_COMMAND = frozenset(
    {FrameKind.INPUT, FrameKind.END, FrameKind.SIZE, FrameKind.TAKEN}  # that they are there, the gateway says
)
TO_PERSON = frozenset({FrameKind.WELCOME, FrameKind.OUT, FrameKind.ERR, FrameKind.TAKEN})
_EMPTY = frozenset({FrameKind.STAYS, FrameKind.END, FrameKind.TAKEN})


@dataclass(frozen=True, slots=True)
class Size:
    """Of a window, in characters."""

    rows: int
    columns: int

    def __post_init__(self) -> None:
        """Refuse what is no window.

        Raises:
            FrameError: it is too small or too large.
        """
        if not (1 <= self.rows <= MOST_ROWS and 1 <= self.columns <= MOST_COLUMNS):
            raise FrameError(f"A window has 1 to {MOST_ROWS} rows and 1 to {MOST_COLUMNS} columns.")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: `offset` is where its bytes begin, or how far somebody got."""

    kind: FrameKind
    offset: int = 0
    data: bytes = b""

    @classmethod
    def of_size(cls, size: Size) -> "Frame":
        return cls(FrameKind.SIZE, 0, _SIZE.pack(size.rows, size.columns))

    @classmethod
    def here(cls, offset: int, base: int, mark: bytes) -> "Frame":
        return cls(FrameKind.HERE, offset, _HERE.pack(base, mark))

    def welcome(self, taken: int) -> "Frame":
        """Return the answer to somebody who came."""
        return Frame(FrameKind.WELCOME, taken, self.mark)

    @property
    def end(self) -> int:
        """Where its bytes end."""
        return self.offset + len(self.data)

    @property
    def size(self) -> Size:
        return Size(*_SIZE.unpack(self.data))

    @property
    def base(self) -> int:
        base: int = _HERE.unpack(self.data)[0]
        return base

    @property
    def mark(self) -> bytes:
        """Whose coming this is about: 16 bytes."""
        return self.data[-_MARK.size :]

    def behind(self, offset: int) -> "Frame":
        """Return what of it comes behind an offset."""
        return Frame(self.kind, offset, self.data[offset - self.offset :]) if offset > self.offset else self

    def encode(self) -> bytes:
        return _HEAD.pack(self.kind.value, self.offset) + self.data


def decode_frame(raw: bytes) -> Frame:
    """Return the frame, checked.

    Raises:
        FrameError: it is none.
    """
    if not _HEAD.size <= len(raw) <= _HEAD.size + LARGEST_DATA:
        raise FrameError(f"A frame has {_HEAD.size} to {_HEAD.size + LARGEST_DATA} bytes.")
    letter, offset = _HEAD.unpack_from(raw)
    try:
        frame = Frame(FrameKind(letter), offset, raw[_HEAD.size :])
    except ValueError as error:
        raise FrameError("There is no such kind of frame.") from error
    if not _fits(frame) or offset > 2**53:
        raise FrameError(f"A frame of the kind {frame.kind.name} does not look like that.")
    return frame


def _fits(frame: Frame) -> bool:
    match frame.kind:
        case FrameKind.HERE:
            return len(frame.data) == _HERE.size
        case FrameKind.WELCOME:
            return len(frame.data) == _MARK.size
        case FrameKind.SIZE:
            return len(frame.data) == _SIZE.size and frame.size is not None
        case kind if kind in _EMPTY:
            return not frame.data
        case _:
            return bool(frame.data)
