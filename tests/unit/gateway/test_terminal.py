"""Lines for terminals become HTML that is well-formed and escaped, whatever programs write."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_gateway.entrypoints.pages.terminal import html, plain

ESCAPE = "\x1b"


class _Parsed(HTMLParser):
    """Collects text, and makes sure that there are only closed spans with known attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.open, self.classes = "", 0, set[str]()
        self.feed(markup)
        self.close()
        assert self.open == 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "span"
        ((name, value),) = attrs
        assert name == "class"
        self.classes.update((value or "").split())
        self.open += 1

    def handle_endtag(self, tag: str) -> None:
        assert tag == "span"
        self.open -= 1

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain", "plain"),
        (f"{ESCAPE}[31mred{ESCAPE}[0m end", '<span class="sgr-1">red</span> end'),
        (f"{ESCAPE}[1;92mok{ESCAPE}[m", '<span class="sgr-10 sgr-bold">ok</span>'),
        (f"{ESCAPE}[44mon{ESCAPE}[49m off", '<span class="sgr-on-4">on</span> off'),
        (f"{ESCAPE}[38;5;9mx", '<span class="sgr-9">x</span>'),
        (f"{ESCAPE}[38;5;196mx", '<span class="sgr-9">x</span>'),
        (f"{ESCAPE}[38;2;10;10;250mx", '<span class="sgr-4">x</span>'),
        (f"{ESCAPE}[38:2::10:250:10mx", '<span class="sgr-10">x</span>'),
        (f"{ESCAPE}[38;5mx", "x"),
        (f"{ESCAPE}[1mbold {ESCAPE}[22mnot", '<span class="sgr-bold">bold </span>not'),
        ("<script>alert('&')</script>", "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"),
        (f"{ESCAPE}]8;;https://evil.example{ESCAPE}\\link{ESCAPE}]8;;{ESCAPE}\\", "link"),
        (f"{ESCAPE}]0;title\x07text", "text"),
        (f"{ESCAPE}[2K{ESCAPE}[1Gtext{ESCAPE}[?25h", "text"),
        (f"cut{ESCAPE}[3", "cut"),
        (f"cut{ESCAPE}", "cut"),
        ("a\x00b\x08c\x9bd", "abcd"),
        ("a\tb", "a\tb"),
        ("10 %\r50 %\r100 %", "100 %"),
        ("done\r", "done"),
        (f"{ESCAPE}[32m10 %\r100 %", '<span class="sgr-2">100 %</span>'),
    ],
)
def test_what_programs_write_is_shown_as_a_terminal_would(written: str, shown: str) -> None:
    assert html(written) == shown


HOSTILE = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            ["\x1b", "\x1b[", "m", ";", "38;5;", "38;2;", "<", '"', "'", "&", "\r", "\x1b]8;;", "\x07", "9"]
        ),
        st.builds("\x1b[{}m".format, st.lists(st.integers(0, 10**6).map(str), max_size=6).map(";".join)),
    ),
    max_size=30,
).map("".join)


@given(HOSTILE)
def test_no_line_breaks_out_of_its_markup(written: str) -> None:
    parsed = _Parsed(str(html(written)))
    assert parsed.text == plain(written)
    assert all(one.startswith("sgr-") for one in parsed.classes)
    assert not set(parsed.text) & set(map(chr, [*range(9), *range(10, 32), *range(127, 160)]))


@given(st.text(st.characters(exclude_categories=("Cc", "Cs"))))
def test_plain_text_is_left_as_it_is(written: str) -> None:
    assert plain(written) == written
