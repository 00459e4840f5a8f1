"""The steps of a deployment as its events tell them."""

from windlass.commands.steps import Steps


def told(*kinds: str) -> list[tuple[str, int]]:
    steps = Steps()
    events = [{"type": kind, "time": f"2026-01-01T00:00:{at:02}+00:00", "data": {}} for at, kind in enumerate(kinds)]
    return [(step.name, step.duration_ms) for event in events if (step := steps.take(event)) is not None]


def test_command_before_the_start_is_a_step_of_its_own() -> None:
    assert told(
        "deployment.requested.v1",
        "build.started.v1",
        "build.succeeded.v1",
        "predeploy.started.v1",
        "predeploy.succeeded.v1",
        "container.started.v1",
    ) == [("queue", 1_000), ("build", 1_000), ("pre-deploy", 2_000), ("start", 1_000)]


def test_without_such_a_command_the_start_follows_the_build() -> None:
    assert told("deployment.requested.v1", "build.started.v1", "build.succeeded.v1", "container.started.v1") == [
        ("queue", 1_000),
        ("build", 1_000),
        ("start", 1_000),
    ]
