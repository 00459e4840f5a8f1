"""Subjects: whatever is written is read back as it was, and one aggregate has one name."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.contract_strategies import keys
from windlass_contracts.errors import MalformedSubjectError
from windlass_contracts.ids import TeamId
from windlass_contracts.subjects import (
    PROJECT_REGISTRY,
    Aggregate,
    AggregateKey,
    Service,
    log_subject,
    parse_subject,
)

some_keys = st.sampled_from(Aggregate).flatmap(keys)
services = st.sampled_from(Service)
SUBJECT = (
    "evt.gateway.11111111-1111-4111-8111-111111111111.22222222-2222-4222-8222-222222222222"
    ".deployment.abcdef01-2345-4678-9abc-def012345678"
)


def matches(pattern: str, subject: str) -> bool:
    """Say whether NATS would match them, for patterns without `>`."""
    wanted, given_ = pattern.split("."), subject.split(".")
    return len(wanted) == len(given_) and all(w in {"*", g} for w, g in zip(wanted, given_, strict=True))


def test_a_subject_is_written_as_it_was_published() -> None:
    key = AggregateKey(
        team=UUID("11111111-1111-4111-8111-111111111111"),  # type: ignore[arg-type]
        project=UUID("22222222-2222-4222-8222-222222222222"),  # type: ignore[arg-type]
        aggregate=Aggregate.DEPLOYMENT,
        id=UUID("abcdef01-2345-4678-9abc-def012345678"),
    )

    assert key.subject(Service.GATEWAY) == SUBJECT
    assert key.pattern == SUBJECT.replace("gateway", "*")
    assert log_subject(key.team, key.project, key.id) == f"log.{key.team}.{key.project}.{key.id}"  # type: ignore[arg-type]


def test_the_words_of_subjects_are_those_that_were_published() -> None:
    assert list(Service) == ["gateway", "builder", "monitor", "router", "logs"]
    of_projects = ["project", "environments", "variables", "deployment", "routes", "releases"]
    assert list(Aggregate) == [*of_projects, "inspection", "tokens", "reaction", "credentials", "run", "domains"]


def test_what_belongs_to_a_team_as_a_whole_has_no_project_in_its_subject() -> None:
    team = TeamId(UUID("11111111-1111-4111-8111-111111111111"))

    assert AggregateKey.of_tokens(team).subject(Service.GATEWAY) == f"evt.gateway.{team}._.tokens.{team}"


@pytest.mark.parametrize(
    ("aggregate", "project"),
    [(Aggregate.TOKENS, uuid4()), (Aggregate.INSPECTION, uuid4()), (Aggregate.DEPLOYMENT, "_"), (Aggregate.ROUTES, "")],
)
def test_a_project_where_there_is_none_is_refused_and_none_where_there_is_one(
    aggregate: Aggregate, project: object
) -> None:
    with pytest.raises(MalformedSubjectError):
        parse_subject(f"evt.gateway.{uuid4()}.{project}.{aggregate}.{uuid4()}")


@given(services, some_keys)
def test_every_subject_is_read_back_as_what_it_names(service: Service, key: AggregateKey) -> None:
    assert parse_subject(key.subject(service)) == (service, key)


@given(services, some_keys, some_keys)
def test_the_scope_of_an_aggregate_holds_its_events_and_no_others(
    service: Service, key: AggregateKey, other: AggregateKey
) -> None:
    assert matches(key.pattern, key.subject(service))
    assert matches(key.pattern, other.subject(service)) is (key == other)


@given(services, some_keys)
def test_the_registry_of_projects_holds_all_projects_and_nothing_else(service: Service, key: AggregateKey) -> None:
    assert matches(PROJECT_REGISTRY, key.subject(service)) is (key.aggregate is Aggregate.PROJECT)


@given(st.text())
def test_arbitrary_text_is_refused_as_a_subject(text: str) -> None:
    with pytest.raises(MalformedSubjectError):
        parse_subject(text)


@given(st.integers(0, 5), st.text(max_size=40))
def test_a_subject_with_another_token_is_refused_or_names_something_else(place: int, token: str) -> None:
    tokens = SUBJECT.split(".")
    tokens[place] = token
    changed = ".".join(tokens)
    try:
        service, key = parse_subject(changed)
    except MalformedSubjectError:
        return
    assert key.subject(service) == changed


@pytest.mark.parametrize(
    "spelling",
    [
        str.upper,
        lambda subject: subject.replace("abcdef01-2345-4678-9abc-def012345678", "abcdef01234546789abcdef012345678"),
        lambda subject: subject.replace("abcdef01", "{abcdef01") + "}",
        lambda subject: subject.replace("abcdef01", "urn:uuid:abcdef01"),
        lambda subject: subject.replace("abcdef01", "abcdef0１"),  # noqa: RUF001 - a digit that int() takes too
        lambda subject: subject + ".more",
        lambda subject: subject.replace("gateway", "*"),
        lambda subject: subject.replace("22222222-2222-4222-8222-222222222222", "_"),
        lambda subject: " " + subject,
        lambda subject: subject + "\n",
    ],
)
def test_other_spellings_of_a_subject_are_refused(spelling: object) -> None:
    with pytest.raises(MalformedSubjectError):
        parse_subject(spelling(SUBJECT))  # type: ignore[operator]


def test_a_refusal_does_not_repeat_a_subject_without_end() -> None:
    with pytest.raises(MalformedSubjectError) as refused:
        parse_subject("x" * 100_000)

    assert len(str(refused.value)) < 400


def test_two_deployments_of_a_project_are_two_aggregates_and_its_routes_a_third() -> None:
    team, project = uuid4(), uuid4()
    one, other = (AggregateKey.of_deployment(team, project, uuid4()) for _ in range(2))  # type: ignore[arg-type]
    routes = AggregateKey.of_project(team, project, Aggregate.ROUTES)  # type: ignore[arg-type]

    assert len({one.pattern, other.pattern, routes.pattern}) == 3
    assert routes.id == project
