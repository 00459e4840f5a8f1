"""The status of an answer is the same in whatever pieces it comes."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_monitor.adapters.answer_head import AnswerHead, NotHttpError

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
MOST_BYTES = 16 * 1024


def status_of(pieces: Iterable[bytes]) -> int | str | None:
    """Return the status, None where more has to come; "no" where it is not HTTP."""
    head, status = AnswerHead(), None
    try:
        for piece in pieces:
            status = head.status_after(piece)
            if status is not None:
                break
    except NotHttpError:
        return "no"
    return status


@given(
    answer=st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.0 404\n\n",
            HINTS + b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 \xff\r\n",
            HINTS + b"HTTP/1.1 200",
            HINTS,
            b"",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/2 200\r\n",
            b"HTTP/1.1 200 O\rK\r\n",
        ]
    )
    | st.binary(max_size=60).map(lambda text: b"HTTP/1.1 " + text),
    cuts=st.lists(st.integers(0, 120), max_size=20),
)
def test_pieces_do_not_matter(answer: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(answer)]
    pieces = [answer[begin:end] for begin, end in itertools.pairwise(places)]
    assert status_of(pieces) == status_of([answer])


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n", 200),
        (b"HTTP/1.1 999\n", 999),
        (HINTS + b"HTTP/1.1 201 Created\r\n", 201),
        (HINTS, None),
        (b"HTTP/1.1 200", None),
        (b"HTTP/1.1 200 " + b"O" * (MOST_BYTES - 15) + b"\r\n", 200),
        (b"HTTP/1.1 200 " + b"O" * (MOST_BYTES - 14) + b"\r\n", "no"),
        (b"H" * MOST_BYTES, None),
        (b"H" * (MOST_BYTES + 1), "no"),
        (HINTS * (MOST_BYTES // len(HINTS) + 1), "no"),
        (b"HTTP/1.1 2000 OK\r\n", "no"),
        (b"\r\n", "no"),
    ],
)
def test_the_first_final_status_within_16_kib_counts(answer: bytes, status: int | str | None) -> None:
    assert status_of([answer]) == status
    assert status_of(answer[at : at + 1] for at in range(len(answer))) == status
