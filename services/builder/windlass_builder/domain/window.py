"""How far a sender of bytes may be ahead of who takes them in, and what it sends again."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from windlass_contracts.run_frames import WINDOW, Frame, FrameKind

_FORGET_AFTER = 4 * 2**20
_FORGET_AFTER_FRAMES = 2_000


@dataclass(slots=True)
class Outgoing:
    """Bytes that were sent, counted by offset; kept until they are taken, `WINDOW` of them at most."""

    sent: int = 0
    taken: int = 0
    _kept: deque[Frame] = field(default_factory=deque)
    _since: int = 0
    _frames_since: int = 0

    @property
    def all_taken(self) -> bool:
        return self.taken >= self.sent

    @property
    def room(self) -> bool:
        """Whether more may be sent. From time to time all has to be taken first, so that it can be forgotten."""
        return self.all_taken or (self.sent - self.taken < WINDOW and not self._to_forget)

    @property
    def forgets(self) -> bool:
        """Whether the next frame may make all before it be forgotten."""
        return self.all_taken and self._to_forget

    @property
    def _to_forget(self) -> bool:
        return self._since >= _FORGET_AFTER or self._frames_since >= _FORGET_AFTER_FRAMES

    def begin_at(self, offset: int) -> None:
        """Let the first byte have that offset: those before were another one's."""
        self.sent = self.taken = offset

    def next(self, kind: FrameKind, data: bytes) -> Frame:
        """Return the frame of the next bytes."""
        if self.forgets:
            self._since = self._frames_since = 0
        frame = Frame(kind, self.sent, data)
        self.sent = frame.end
        self._since += len(data)
        self._frames_since += 1
        self._kept.append(frame)
        while self._kept[0].end <= self.sent - WINDOW:  # only where nobody is waited for
            self._kept.popleft()
        return frame

    def take(self, offset: int) -> None:
        """Note that bytes up to an offset were taken; nobody takes what was not sent."""
        self.taken = max(self.taken, min(offset, self.sent))
        while self._kept and self._kept[0].end <= self.taken:
            self._kept.popleft()

    def behind(self, offset: int) -> Sequence[Frame]:
        """Return what is kept and comes behind an offset: for who did not get it."""
        return [frame.behind(offset) for frame in self._kept if frame.end > offset]


@dataclass(slots=True)
class Incoming:
    """Bytes that come with their offsets: each is taken once, and none behind a gap."""

    next: int = 0
    ended: bool = False

    def fresh(self, frame: Frame) -> bytes:
        """Return what of the frame was not there before."""
        if self.ended or frame.offset > self.next or frame.end <= self.next:
            return b""
        data = frame.behind(self.next).data
        self.next = frame.end
        return data

    def ends(self, frame: Frame) -> bool:
        """Tell whether the frame ends the input now."""
        if self.ended or frame.offset != self.next:
            return False
        self.ended = True
        return True
