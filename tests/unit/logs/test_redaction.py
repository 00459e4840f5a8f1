"""No secret gets into a stored line."""

import base64
import json
from urllib.parse import quote, quote_plus

from hypothesis import example, given
from hypothesis import strategies as st

from windlass_eventlog.logs.redaction import MASK, SHORTEST, Redaction

# Without the mask's own character: a secret of stars would be found in any mask.
SECRETS = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs", "Z", "C"]), min_size=SHORTEST)
AROUND = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]))


@given(st.lists(SECRETS, min_size=1, max_size=4), AROUND, AROUND)
@example(["abcd", "bcde"], "a", "e")
def test_no_secret_is_left_in_a_line(secrets: list[str], before: str, after: str) -> None:
    line = before + (after + before).join(secrets) + after

    redacted = Redaction(secrets).apply(line)

    assert not [secret for secret in secrets if secret in redacted]


@given(st.text("abc%+/", min_size=SHORTEST), st.text("xyz \t"), st.text("xyz \t"))
def test_what_stands_around_a_secret_is_kept(secret: str, before: str, after: str) -> None:
    assert Redaction([secret]).apply(before + secret + after) == before + MASK + after


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_line_without_secrets_is_kept_as_it_is(line: str) -> None:
    assert Redaction(["hunter2-and-more"]).apply(line) == line


@given(st.text(min_size=7, max_size=40).filter(lambda text: len(text.strip()) >= 7), st.binary(max_size=7), st.binary())
def test_a_secret_inside_of_something_encoded_in_base64_is_replaced(secret: str, before: bytes, after: bytes) -> None:
    value = secret.strip().encode(errors="surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + value + after).decode()

        redacted = Redaction([secret]).apply(f"Authorization: Basic {encoded}")

        assert MASK in redacted


def test_a_short_secret_alone_in_base64_is_replaced() -> None:
    assert Redaction(["pass"]).apply("x cGFzcw== y") == f"x {MASK} y"


@given(SECRETS)
def test_url_encoded_secrets_are_replaced(secret: str) -> None:
    lower = "%".join(
        [part if i == 0 else part[:2].lower() + part[2:] for i, part in enumerate(quote(secret).split("%"))]
    )
    for encoded in (quote(secret), quote(secret, ""), quote_plus(secret), lower):
        assert Redaction([secret]).apply(f"?token={encoded}&b=1") == f"?token={MASK}&b=1"


def test_a_secret_with_spaces_is_replaced_in_a_form() -> None:
    assert Redaction(["correct horse"]).apply("pass=correct+horse&x=1") == f"pass={MASK}&x=1"


def test_a_secret_within_json_is_replaced() -> None:
    value = 'a"quoted"\\one'
    assert Redaction([value]).apply(json.dumps({"key": value})) == f'{{"key": "{MASK}"}}'


def test_a_secret_of_several_lines_is_replaced_line_by_line_and_as_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----\n"
    redaction = Redaction([key])

    assert [redaction.apply(f"> {line}") for line in key.splitlines()] == [f"> {MASK}"] * 4
    assert redaction.apply(json.dumps(key.strip())) == f'"{MASK}"'


def test_secrets_of_less_than_four_characters_are_left_alone() -> None:
    assert Redaction(["1", "no", "80", "", "\n"]).apply("80 lines, no 1") == "80 lines, no 1"


def test_secrets_that_overlap_are_replaced_together() -> None:
    assert Redaction(["abcd", "cdef", "cd"]).apply("xabcdefx") == f"x{MASK}x"


def test_a_redaction_does_not_show_its_secrets() -> None:
    assert "hunter2" not in repr(Redaction(["hunter2"]))
