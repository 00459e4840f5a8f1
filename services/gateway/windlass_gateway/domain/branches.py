"""Which pushes go to which environment: patterns of branches, and the one environment that takes a branch.

In a pattern `*` stands for any characters but `/`, `**` for any characters, `?` for one character but `/`, and `[abc]`,
`[a-z]`, `[!abc]` for one of those characters, or one of the others. All else, upper and lower case too, stands for
itself: the rules of GitHub's branch protection. A branch that several patterns match belongs to the environment that
names it outright, else to the pattern with the most characters that stand for themselves, else to the environment that
is older.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from windlass_contracts.events import EnvironmentConfigured, EnvironmentCreated
from windlass_contracts.ids import EnvironmentId
from windlass_gateway.domain.environments import PRODUCTION, Environment, Environments
from windlass_gateway.domain.refusals import BranchTakenError, InvalidInputError

_TOKEN = re.compile(r"\*+|\[!?\]?[^]/]*\]|.", re.DOTALL)
_RANGE = re.compile(r"(.)-(.)|(.)", re.DOTALL)
_MAX_BRANCHES = 100


@dataclass(frozen=True, slots=True)
class _Token:
    """What one place of a pattern takes: a character of the `ranges` (`negated`: of none), once or `many` times."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False
    many: bool = False
    literal: bool = False

    def takes(self, character: str) -> bool:
        return any(low <= character <= high for low, high in self.ranges) is not self.negated


_SLASH = (("/", "/"),)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern, ready to match; `literals` counts the characters that stand for themselves."""

    tokens: tuple[_Token, ...]

    @property
    def literals(self) -> int:
        return sum(token.literal for token in self.tokens)

    @property
    def exact(self) -> bool:
        return self.literals == len(self.tokens)

    def matches(self, branch: str) -> bool:
        """Whether the whole name fits; takes time in proportion to both lengths, whatever the pattern."""
        places = self._with_skips({0})
        for character in branch:
            taken = (place for place in places if place < len(self.tokens) and self.tokens[place].takes(character))
            places = self._with_skips({place if self.tokens[place].many else place + 1 for place in taken})
        return len(self.tokens) in places

    def _with_skips(self, places: set[int]) -> set[int]:
        """Add the places behind tokens that may take nothing."""
        for place in sorted(places):
            end = place
            while end < len(self.tokens) and self.tokens[end].many:
                end += 1
                places.add(end)
        return places


@lru_cache(maxsize=1_024)
def pattern(text: str) -> Pattern:
    """Return the pattern that a text writes."""
    return Pattern(tuple(_token(match[0]) for match in _TOKEN.finditer(text)))


def _token(written: str) -> _Token:
    if written.startswith("**"):
        return _Token((), negated=True, many=True)
    if written == "*":
        return _Token(_SLASH, negated=True, many=True)
    if written == "?":
        return _Token(_SLASH, negated=True)
    if len(written) == 1:
        return _Token(((written, written),), literal=True)
    inside = written[1:-1]
    negated = inside.startswith("!")
    found = tuple((low or one, high or one) for low, high, one in _RANGE.findall(inside.removeprefix("!")))
    return _Token((*found, *_SLASH), negated=True) if negated else _Token(found)


def taker(environments: Environments, branch: str, default_branch: str | None) -> Environment | None:
    """Return the environment that takes pushes of a branch.

    A production environment without patterns of its own takes the default branch, as if it named it.
    """
    best: tuple[tuple[bool, bool, int], Environment] | None = None
    for environment in environments.all:
        for rank in _ranks(environment, branch, default_branch):
            if best is None or rank > best[0]:
                best = rank, environment
    return None if best is None else best[1]


def _ranks(environment: Environment, branch: str, default_branch: str | None) -> Iterable[tuple[bool, bool, int]]:
    for one in map(pattern, environment.branches):
        if one.matches(branch):
            yield one.exact, True, one.literals
    if takes_default_branch(environment) and branch == default_branch:
        yield True, False, len(branch)


def takes_default_branch(environment: Environment) -> bool:
    return environment.production and not environment.branches


def checked_branches(environments: Environments, name: str, branches: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns that the environment of that name shall have, each once.

    Raises:
        InvalidInputError: there are too many.
        BranchTakenError: another environment has one of them.
    """
    wanted = tuple(dict.fromkeys(branches))
    if len(wanted) > _MAX_BRANCHES:
        raise InvalidInputError(
            f"An environment has {_MAX_BRANCHES} branch patterns at most, not {len(wanted)}.",
            field="branches",
            next_step="Use patterns: `**` stands for any branch.",
        )
    for one in wanted:
        other = next((each for each in environments.all if each.name != name and one in each.branches), None)
        if other is not None:
            raise BranchTakenError(one, other.name)
    return wanted


def decide_branches(
    environments: Environments, name: str, branches: Iterable[str], fresh: EnvironmentId
) -> EnvironmentCreated | EnvironmentConfigured | None:
    """Return the event after which the environment has these patterns; None where it has them already.

    Raises:
        InvalidInputError: there are too many.
        BranchTakenError: another environment has one of them.
    """
    wanted = checked_branches(environments, name, branches)
    known = environments.named(name)
    if known is None:
        return EnvironmentCreated(environment=fresh, name=name, production=name == PRODUCTION, branches=wanted)
    return None if known.branches == wanted else EnvironmentConfigured(environment=known.id, branches=wanted)
