"""A repository that somebody asks about is looked into once, in time, and answered whatever it is."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.memory_builder import COMMIT, MemoryBuilder
from support.memory_runtime import PowerCut
from windlass_builder.adapters.git.refs import read_heads
from windlass_builder.application.source import LoginNeededError, SourceTooLargeError
from windlass_builder.domain.inspection import first_heads
from windlass_contracts.event import Event
from windlass_contracts.events import InspectionFailed, InspectionRequested, SourceInspected
from windlass_contracts.events.deployment import GitSource
from windlass_contracts.events.inspection import Head
from windlass_eventlog.reactor import WakeUp

INSPECTION = UUID(int=9 << 96)
URL = "https://git.example/shop"


@pytest.fixture
def builder(tmp_path: Path) -> MemoryBuilder:
    return MemoryBuilder(tmp_path)


async def asked(builder: MemoryBuilder, ref: str | None = None, about: UUID = INSPECTION) -> None:
    await builder.tell(about, InspectionRequested(source=GitSource(repository=URL, ref=ref)))


def answers(builder: MemoryBuilder, about: UUID = INSPECTION) -> list[Event]:
    events = [builder.log.at(sequence) for sequence in range(1, builder.log.length + 1)]
    return [event.event for event in events if event.key.id == about][1:]


async def test_answer_says_what_the_repository_holds_and_how_it_would_be_deployed(builder: MemoryBuilder) -> None:
    await asked(builder)
    await builder.reactors.settle()
    [answer] = answers(builder)
    assert isinstance(answer, SourceInspected)
    assert (answer.commit, answer.branch) == (COMMIT, "main")
    assert answer.branches == (Head(name="main", commit=COMMIT),)
    assert answer.tags == (Head(name="v1", commit=COMMIT),)
    assert answer.recipe is not None
    assert (answer.recipe.start_command, answer.recipe.detected_by) == ("exec python3 server.py", "entry-point")


@pytest.mark.parametrize(
    ("error", "code"), [(LoginNeededError(URL), "login-needed"), (SourceTooLargeError(URL), "source-too-large")]
)
async def test_repository_that_cannot_be_had_is_answered_with_the_reason(
    builder: MemoryBuilder, error: Exception, code: str
) -> None:
    builder.sources.fails = error
    await asked(builder)
    await builder.reactors.settle()
    assert answers(builder) == [InspectionFailed(code=code, reason=str(error))]


async def test_request_delivered_again_is_answered_once(builder: MemoryBuilder) -> None:
    await asked(builder)
    await builder.reactors.settle()
    builder.reactors.deliver_again(1)
    await builder.reactors.settle()
    assert len(answers(builder)) == builder.sources.asked == 1


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_builder_killed_at_its_answer_answers_once(
    builder: MemoryBuilder, dies: Literal["before", "after"]
) -> None:
    builder.log.dies_at, builder.log.dies = 1, dies
    await asked(builder)
    with pytest.raises(PowerCut):
        await builder.reactors.settle()
    await builder.again().reactors.settle()
    assert len(answers(builder)) == 1


async def test_request_that_nobody_waits_for_any_more_fetches_nothing(builder: MemoryBuilder) -> None:
    await asked(builder)
    builder.pass_time(timedelta(minutes=11))
    await builder.reactors.settle()
    [answer] = answers(builder)
    assert isinstance(answer, InspectionFailed)
    assert (answer.code, builder.sources.asked) == ("expired", 0)


async def test_repository_that_never_answers_is_given_up_in_time(builder: MemoryBuilder) -> None:
    builder.sources.may_answer.clear()
    builder.inspecting.limit = timedelta(milliseconds=10)
    await asked(builder)
    await builder.reactors.settle()
    [answer] = answers(builder)
    assert isinstance(answer, InspectionFailed)
    assert answer.code == "fetch-timed-out"


async def test_flood_of_requests_is_answered_without_waiting_for_all(builder: MemoryBuilder) -> None:
    builder.sources.may_answer.clear()
    flood = [UUID(int=number << 96) for number in range(100, 152)]
    for about in flood:
        await asked(builder, about=about)
    wakes = [WakeUp(builder.log.at(sequence), 1) for sequence in range(1, builder.log.length + 1)]
    handling = [asyncio.create_task(builder.inspecting.handle(wake)) for wake in wakes]
    await asyncio.wait(handling, return_when=asyncio.FIRST_COMPLETED)
    builder.sources.may_answer.set()
    await asyncio.gather(*handling)
    codes = [getattr(answer, "code", "inspected") for about in flood for answer in answers(builder, about)]
    assert (codes.count("inspected"), codes.count("busy")) == (50, 2)


def test_default_branch_is_the_one_that_head_names() -> None:
    other = "d" * 40
    output = (
        f"ref: refs/heads/trunk\tHEAD\n{COMMIT}\tHEAD\n{COMMIT}\trefs/heads/main\n{COMMIT}\trefs/heads/trunk\n"
        f"{other}\trefs/tags/v1\n{COMMIT}\trefs/tags/v1^{{}}\n{other}\trefs/remotes/origin/HEAD\n"
    )
    heads = read_heads(output)
    assert (heads.default_branch, sorted(heads.branches), heads.tags) == ("trunk", ["main", "trunk"], {"v1": COMMIT})


def test_server_that_does_not_say_what_head_names_is_understood_by_its_commit() -> None:
    heads = read_heads(f"{COMMIT}\tHEAD\n{'d' * 40}\trefs/heads/a\n{COMMIT}\trefs/heads/b\n{COMMIT}\trefs/heads/main\n")
    assert heads.default_branch == "main"
    assert read_heads("").default_branch is None


@given(st.text())
def test_no_answer_of_a_server_breaks_the_reading(output: str) -> None:
    heads = read_heads(output)
    assert heads.default_branch is None or heads.default_branch in heads.branches


@given(st.dictionaries(st.text(min_size=1), st.just(COMMIT), max_size=30))
def test_names_that_no_deployment_could_ask_for_are_left_out(commits: dict[str, str]) -> None:
    assert {head.name for head in first_heads(commits)} <= set(commits)


def test_very_many_names_are_cut_to_what_an_event_may_hold() -> None:
    assert len(first_heads({f"b{number:05}": COMMIT for number in range(2_000)})) == 500
    long = first_heads({f"{number:05}" + "\U0001f680" * 240: COMMIT for number in range(2_000)})
    assert 100 < len(long) < 500
    answer = SourceInspected(commit=COMMIT, branches=long, tags=long, duration_ms=1)
    assert len(answer.model_dump_json().encode()) < 450 * 1024
