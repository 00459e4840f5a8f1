"""Frames are made once for all who ask for the same one, and no more of them are kept than somebody may ask for."""

import asyncio
from uuid import UUID

import pytest

from windlass_gateway.entrypoints.live.press import Press
from windlass_gateway.entrypoints.live.view import StateView


class Rendered:
    """A view of how things are, which counts how often it is rendered."""

    def __init__(self) -> None:
        self.times = 0
        self.fails = False
        self.view = StateView("state", frozenset({UUID(int=1)}), render=self._render)

    async def _render(self) -> str:
        self.times += 1
        await asyncio.sleep(0)
        if self.fails:
            raise LookupError
        return f"state {self.times}"


async def test_all_who_ask_for_the_same_frame_get_the_same_bytes() -> None:
    press, rendered = Press("1"), Rendered()
    asked = await asyncio.gather(*(press.frames(rendered.view, [], 7) for _ in range(3)))
    (later,) = await press.frames(rendered.view, [], 7)
    assert [frame.body for (frame,) in asked] == [later.body] * 3
    assert rendered.times == 1


async def test_of_a_view_of_how_things_are_only_the_newest_frame_is_kept() -> None:
    press, rendered = Press("1"), Rendered()
    for sequence in range(1, 21):
        (frame,) = await press.frames(rendered.view, [], sequence)
        assert frame.body == f"id: 1-{sequence}\ndata: state {sequence}\n\n".encode()
    assert len(press._made) == 1


async def test_a_frame_that_could_not_be_rendered_is_tried_again() -> None:
    press, rendered = Press("1"), Rendered()
    rendered.fails = True
    with pytest.raises(LookupError):
        await press.frames(rendered.view, [], 7)
    rendered.fails = False
    (frame,) = await press.frames(rendered.view, [], 7)
    assert frame.body.endswith(b"data: state 2\n\n")
