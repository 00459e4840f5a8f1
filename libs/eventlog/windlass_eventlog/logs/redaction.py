"""Secrets are replaced in every line before it is stored.

Looked for, in each line by itself: a value as it is, as JSON writes it, URL-encoded, and in base64, from seven bytes on
also where it is encoded together with something else. A value of several lines is looked for line by line as well.
What is shorter than four characters is left alone: replacing every `1` or `no` would hide nothing and make the log
unreadable; whoever needs a secret kept needs a longer one.

Substring tests beat one regular expression of all alternatives nearly threefold (732,000 against 259,000 lines a
second with 50 secrets), for nearly every line holds no secret at all.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 4
"""Characters. Longer than the mask: no secret is ever found in a mask."""

_BASE64_SHORTEST = 8
"""Characters of base64 that do not depend on what stands around the value; fewer would be found by chance."""


class Redaction:
    """Replaces secrets in lines of text; knows them in every form it looks for, the longest first."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = tuple(sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True))

    def __repr__(self) -> str:
        return f"Redaction({len(self._forms)} forms)"

    def apply(self, line: str) -> str:
        """Return the line with every secret replaced, where two overlap both."""
        found = [form for form in self._forms if form in line]
        return _masked(line, found) if found else line


def _masked(line: str, found: list[str]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in _merged(sorted(span for form in found for span in _occurrences(line, form))):
        pieces += [line[done:start], MASK]
        done = end
    return "".join([*pieces, line[done:]])


def _occurrences(line: str, form: str) -> Iterator[tuple[int, int]]:
    start = line.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = line.find(form, start + 1)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged = spans[:1]
    for start, end in spans[1:]:
        before_start, before_end = merged[-1]
        if start < before_end:
            merged[-1] = (before_start, max(before_end, end))
        else:
            merged.append((start, end))
    return merged


def _forms(secret: str) -> Iterator[str]:
    for part in {text.strip() for text in (secret, *secret.splitlines())}:
        if len(part) < SHORTEST:
            continue
        yield part
        yield from (json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1])
        yield from _url_encoded(part)
        yield from _base64_encoded(part.encode(errors="surrogatepass"))


def _url_encoded(text: str) -> Iterator[str]:
    for encoded in (
        quote(text, errors="replace"),
        quote(text, "", errors="replace"),
        quote_plus(text, errors="replace"),
    ):
        yield encoded
        yield _lower_escapes(encoded)


def _lower_escapes(encoded: str) -> str:
    head, *escapes = encoded.split("%")
    return "%".join([head, *(escape[:2].lower() + escape[2:] for escape in escapes)])


def _base64_encoded(secret: bytes) -> Iterator[str]:
    """Yield what base64 makes of the secret on its own, and at each of the three places in a group where it can begin.

    Of the latter only the characters that are made of its own bits alone: those at the edges depend on its neighbours.
    """
    yield base64.b64encode(secret).decode()
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + secret).decode()
        first = (shift * 8 + 5) // 6
        last = (shift + len(secret)) * 8 // 6
        inner = whole[first:last]
        if len(inner) >= _BASE64_SHORTEST:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
