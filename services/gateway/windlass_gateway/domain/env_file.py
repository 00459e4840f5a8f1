"""Variables pasted as a `.env` file, read by python-dotenv's rules.

`${NAME}` stands for a variable given further up in the same paste; where none is, it stays as it stands, unless it says
a default (`${NAME:-default}`). Nothing of the environment of whoever reads the paste ever gets into it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import count

from dotenv.parser import Binding, parse_stream
from pydantic import TypeAdapter, ValidationError

from windlass_contracts.values import VariableName
from windlass_gateway.domain.refusals import InvalidInputError
from windlass_gateway.domain.variables import MAX_VALUE_BYTES, MAX_VARIABLES

MAX_ENV_FILE_BYTES = 512 * 1024
MAX_STATEMENTS = 3_000
"""Variables and comments; reading one takes the parser a tenth of a millisecond, and other requests wait meanwhile."""

_NAME: TypeAdapter[str] = TypeAdapter(VariableName)
_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_LEADING_SPACE = re.compile(r"\s*")
# Looking for a comment behind blanks takes the parser the square of their number.
_TOO_BLANK = re.compile(r"[^\S\r\n]{200}")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a line of the paste, numbered from 1, that whoever pasted it should know. Quotes no value."""

    line: int
    text: str


@dataclass(slots=True)
class EnvFile:
    """What a paste says: the values by name, which lines could not be read, and what else is noteworthy."""

    values: dict[str, str] = field(default_factory=dict)
    unreadable: list[Remark] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def readable(self) -> Mapping[str, str]:
        """Return the values if every line could be read.

        Raises:
            InvalidInputError: one could not, or there are too many variables.
        """
        if self.unreadable:
            first = self.unreadable[0]
            raise InvalidInputError(
                f"Line {first.line} of the variables cannot be read: {first.text}",
                field="env_file",
                next_step="Write NAME=VALUE on each line, in quotes where the value has line breaks; nothing was set.",
            )
        return self.values


def read_env_file(text: str) -> EnvFile:
    """Read a paste.

    Raises:
        InvalidInputError: it is too large, or has more variables than a project may have.
    """
    _check_bounds(text)
    found, lines = EnvFile(), dict[str, int]()
    for number, binding in zip(count(1), parse_stream(StringIO(text, newline="")), strict=False):
        if number > MAX_STATEMENTS:
            raise _refused(f"The paste has more than {MAX_STATEMENTS} variables and comments.")
        line = binding.original.line + len(_LINE_BREAK.findall(_indent(binding)))
        problem = _take(found, binding, line, lines)
        if problem is not None:
            found.unreadable.append(Remark(line, problem))
    if len(found.values) > MAX_VARIABLES:
        raise _refused(f"The paste has {len(found.values)} variables; {MAX_VARIABLES} is the limit.")
    return found


def _check_bounds(text: str) -> None:
    if len(text.encode(errors="surrogatepass")) > MAX_ENV_FILE_BYTES:
        raise _refused(f"The paste has more than {MAX_ENV_FILE_BYTES // 1024} KiB.")
    blank = _TOO_BLANK.search(text)
    if blank is not None:
        line = 1 + len(_LINE_BREAK.findall(text, 0, blank.start()))
        raise _refused(f"Line {line} has more than 200 blanks in a row, which is no line of a .env file.")


def _refused(detail: str) -> InvalidInputError:
    return InvalidInputError(detail, field="env_file", next_step="Paste less at once, or set single variables.")


def _indent(binding: Binding) -> str:
    found = _LEADING_SPACE.match(binding.original.string)
    return "" if found is None else found[0]


def _take(found: EnvFile, binding: Binding, line: int, lines: dict[str, int]) -> str | None:
    """Take one variable; return why it could not be."""
    fault = _fault(binding)
    if fault is not None or binding.key is None:
        return fault
    name, shown = binding.key, binding.key[:_SHOWN]
    value, unknown = _expanded(binding.value or "", found.values)
    if "\x00" in value:
        return f"the value of {shown} has a NUL character, which no environment variable can hold."
    if len(value.encode(errors="surrogatepass")) > MAX_VALUE_BYTES:
        return f"the value of {shown} has more than {MAX_VALUE_BYTES // 1024} KiB."
    if name in lines:
        found.remarks.append(Remark(line, f"{shown} was given on line {lines[name]} already: this one counts."))
    if unknown is not None:
        text = f"${{{unknown[:_SHOWN]}}} stays as it stands: nothing of that name is given above."
        found.remarks.append(Remark(line, text))
    found.values[name], lines[name] = value, line
    return None


def _fault(binding: Binding) -> str | None:
    """Return what is wrong with the form of a line."""
    name = binding.key
    if binding.error:
        return "it is no NAME=VALUE, a quote is not closed, or something follows the closing quote."
    if name is None:
        return None
    if not _is_name(name):
        return "a name has letters, digits and underscores, and no digit first."
    if binding.value is None:
        return f"{name[:_SHOWN]} is given no value; for an empty one write {name[:_SHOWN]}= ."
    return None


def _is_name(name: str) -> bool:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def _expanded(value: str, known: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the value with what the paste itself says put in, and the first name that it does not know.

    It may end behind the longest value that is allowed: values made of values of values grow without bounds.
    """
    pieces, size, unknown, end = list[str](), 0, None, 0
    for one in references(value):
        piece = known.get(one.name, one.default)
        if piece is None:
            piece, unknown = value[one.start : one.end], unknown or one.name
        pieces += value[end : one.start], piece
        size += one.start - end + len(piece)
        end = one.end
        if size > MAX_VALUE_BYTES:
            break
    return "".join(pieces) + value[end:], unknown


@dataclass(frozen=True, slots=True)
class Reference:
    """`${NAME}` or `${NAME:-default}` inside a value, from its first character to behind its last one."""

    start: int
    end: int
    name: str
    default: str | None


def references(value: str) -> Iterator[Reference]:
    """Yield what a value refers to, as python-dotenv finds it, whose own way takes the square of a value's length."""
    start = value.find("${")
    while start >= 0 and (brace := value.find("}", start)) >= 0:
        colon = value.find(":", start, brace)
        end = brace + 1
        if colon < 0:
            yield Reference(start, end, value[start + 2 : brace], None)
        elif value[colon + 1] == "-":
            yield Reference(start, end, value[start + 2 : colon], value[colon + 2 : brace])
        else:
            end = colon
        start = value.find("${", end)
