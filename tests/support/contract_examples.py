"""One realistic message of each published type, out of the life of one project: the golden files are made from them.

An example never changes: what it says was published. A field that is added to a type later gets another example.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from windlass_contracts.cloudevent import Metadata, Proposed
from windlass_contracts.config import CommandProbe, Deadlines, DeploymentConfig, HttpProbe, Limits, Retirement
from windlass_contracts.event import Event
from windlass_contracts.events import (
    AliasesChanged,
    ApiTokenCreated,
    ApiTokenRevoked,
    BranchDeleted,
    BuildStarted,
    BuildSucceeded,
    ContainerLooping,
    ContainerPaused,
    ContainerResumed,
    ContainerStarted,
    ContainerStopped,
    CredentialRemoved,
    CredentialSet,
    CutoverStarted,
    DeploymentCanceled,
    DeploymentLive,
    DeploymentRequested,
    DeploymentScaled,
    DeploymentSuperseded,
    DomainAssigned,
    DomainRemoved,
    EnvironmentConfigured,
    EnvironmentCreated,
    EnvironmentReleased,
    Failed,
    Healthy,
    InspectionFailed,
    InspectionRequested,
    PreDeployStarted,
    PreDeploySucceeded,
    ProjectConfigured,
    ProjectCreated,
    PromotionRequested,
    ReactionAbandoned,
    ReactionDiscarded,
    ReactionRecovered,
    ReactionRetried,
    ReleaseRetired,
    RestartFailed,
    RestartRequested,
    RestartSucceeded,
    RestoreRequested,
    RollbackRequested,
    RolloutStopped,
    RoutesApplied,
    RoutesFailed,
    RunEnded,
    RunRequested,
    RunStarted,
    SourceInspected,
    StorageReclaimed,
    Unhealthy,
    VariableRemoved,
    VariableSet,
    WeightChanged,
    WeightRequested,
)
from windlass_contracts.events.deployment import GitSource, LogRange, Recipe, Stage, VariableVersion
from windlass_contracts.events.inspection import Head
from windlass_contracts.events.routes import Alias, AliasMove
from windlass_contracts.ids import (
    DeploymentId,
    EnvironmentId,
    EventId,
    InspectionId,
    ProjectId,
    RunId,
    TeamId,
    TokenId,
    reaction_id,
)
from windlass_contracts.subjects import Aggregate, AggregateKey, Service

INSTALLATION = "3f9c01ab"
SEQUENCE = 1_204
_NOON = datetime(2026, 3, 14, 12, 0, 0, 250_000, tzinfo=UTC)
_MIB = 1024 * 1024


def _id(word: str) -> UUID:
    return uuid5(UUID("00000000-0000-4000-8000-000000000000"), word)


TEAM, PROJECT = TeamId(_id("team")), ProjectId(_id("project"))
PRODUCTION, STAGING = EnvironmentId(_id("production")), EnvironmentId(_id("staging"))
BEFORE, NOW = DeploymentId(_id("deployment before")), DeploymentId(_id("deployment now"))
_CONTAINER = "windlass-3f9c01ab-7d1c2b9e-1"
_COMMIT = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_RELEASE = "windlass-3f9c01ab-release:9a1f0c3d5b7e"
_DIGEST = "sha256:" + "5feceb66ffc86f38" * 4
_LIMITS = Limits(memory_bytes=256 * _MIB, cpu_millis=500, processes=128)

_CONFIG = DeploymentConfig(
    runner="python",
    root="services/api",
    build_command="uv sync --frozen",
    pre_deploy_command="python manage.py migrate",
    start_command='exec gunicorn "shop:app" --bind 0.0.0.0:$PORT',
    port=8_080,
    replicas=2,
    probe=HttpProbe(path="/ready?full=1", status_min=200, status_max=299, successes=2, timeout_ms=2_000),
    limits=_LIMITS,
    build_limits=Limits(memory_bytes=1_024 * _MIB, cpu_millis=2_000, processes=512),
    deadlines=Deadlines(build_s=600, health_s=45),
    retirement=Retirement(drain_s=5, grace_s=20, keep_warm_s=1_800),
)
_PLAIN = DeploymentConfig(probe=CommandProbe(command="test -e /tmp/ready"))
_ADDRESSES = (
    AliasMove(alias=Alias(kind="environment", name="shop", environment=PRODUCTION), before=BEFORE, after=NOW),
    AliasMove(alias=Alias(kind="domain", name="www.example.com", environment=PRODUCTION), before=BEFORE, after=NOW),
    AliasMove(alias=Alias(kind="deployment", name=f"shop--{NOW.hex[:8]}"), after=NOW),
    AliasMove(alias=Alias(kind="branch", name="shop--git-old-idea"), before=BEFORE),
)

_OF_PROJECT: tuple[tuple[Service, Event], ...] = (
    (
        Service.GATEWAY,
        ProjectCreated(
            slug="shop",
            name="The Shop",
            repository="https://git.example.com/shop/api.git",
            default_branch="main",
            config=_CONFIG,
        ),
    ),
    (Service.GATEWAY, ProjectConfigured(name="The Shop", repository=None, default_branch="trunk", config=_PLAIN)),
    (
        Service.GATEWAY,
        EnvironmentCreated(environment=STAGING, name="staging", production=False, branches=("next", "release/*")),
    ),
    (Service.GATEWAY, EnvironmentConfigured(environment=PRODUCTION, branches=("main",))),
    (Service.GATEWAY, VariableSet(name="DATABASE_URL", environment=PRODUCTION, secret=_id("secret 1"))),
    (Service.GATEWAY, VariableRemoved(name="DEBUG")),
    (Service.ROUTER, AliasesChanged(why="deployment", deployment=NOW, moves=_ADDRESSES)),
    (Service.ROUTER, RoutesApplied(generation=SEQUENCE, proxies=("edge-1", "edge-2"), duration_ms=112)),
    (
        Service.GATEWAY,
        RollbackRequested(environment=PRODUCTION, alias="shop", before=NOW, to=BEFORE, note=_id("note")),
    ),
    (Service.GATEWAY, PromotionRequested(environment=PRODUCTION, alias="shop", before=BEFORE, to=NOW)),
    (
        Service.BUILDER,
        RoutesFailed(
            request=EventId(_id("rollback")),
            stage=Stage.START,
            code="release-missing",
            reason="The release of the deployment is not on this node any more.",
        ),
    ),
    (Service.BUILDER, ReleaseRetired(release=_RELEASE, node="node-1", why="unreferenced", size_bytes=271_350_000)),
    (
        Service.GATEWAY,
        CredentialSet(
            kind="deploy-key",
            host="git.example.com:2222",
            secret=_id("private key"),
            public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFuIGV4YW1wbGUgb2YgYSBwdWJsaWMga2V5LCBmaW5l",
        ),
    ),
    (Service.GATEWAY, CredentialRemoved(kind="registry", host="registry.example.com")),
    (
        Service.BUILDER,
        StorageReclaimed(node="node-1", kind="release", name=_RELEASE, why="retention", freed_bytes=271_350_000),
    ),
    (Service.GATEWAY, DomainAssigned(host="www.example.com", environment=PRODUCTION)),
    (Service.GATEWAY, DomainRemoved(host="old.example.com")),
    (Service.GATEWAY, BranchDeleted(branch="feature/basket")),
    (Service.GATEWAY, EnvironmentReleased(environment=PRODUCTION, note=_id("why it is released"))),
    (
        Service.MONITOR,
        RestoreRequested(
            environment=PRODUCTION,
            before=NOW,
            to=BEFORE,
            code="errors",
            reason="68 % of 1,204 answers within a minute had a status of 500 or more.",
        ),
    ),
    (Service.GATEWAY, WeightRequested(environment=PRODUCTION, alias="shop", before=BEFORE, to=NOW, weight=10)),
    (Service.GATEWAY, RolloutStopped(environment=PRODUCTION, note=_id("why it is stopped"))),
    (
        Service.ROUTER,
        WeightChanged(
            environment=PRODUCTION,
            deployment=NOW,
            weight=25,
            why="rollout",
            request=EventId(_id("weight")),
            reason="Nothing failed for 300 s at 10 percent.",
        ),
    ),
)

_OF_DEPLOYMENT: tuple[tuple[Service, Event], ...] = (
    (
        Service.GATEWAY,
        DeploymentRequested(
            environment=PRODUCTION,
            source=GitSource(repository="https://git.example.com/shop/api.git", ref="main", commit=_COMMIT),
            trigger="webhook",
            config=_CONFIG,
            variables=(
                VariableVersion(name="DATABASE_URL", secret=_id("secret 1")),
                VariableVersion(name="SESSION_KEY", secret=_id("secret 2")),
            ),
            based_on=BEFORE,
            author=_id("person"),
            note=_id("note"),
        ),
    ),
    (Service.GATEWAY, DeploymentCanceled(note=_id("note"))),
    (Service.ROUTER, DeploymentSuperseded(by=DeploymentId(_id("deployment after")))),
    (Service.BUILDER, BuildStarted(node="node-1", attempt=2, commit=_COMMIT)),
    (
        Service.BUILDER,
        BuildSucceeded(
            node="node-1",
            release=_RELEASE,
            digest=_DIGEST,
            recipe=Recipe(
                runner="python", build_command="uv sync --frozen", start_command="exec ./serve", detected_by="procfile"
            ),
            cache_hit=False,
            duration_ms=8_412,
            size_bytes=271_350_000,
        ),
    ),
    (
        Service.BUILDER,
        ContainerStarted(
            node="node-1",
            container=_CONTAINER,
            replica=0,
            address="10.113.4.2",
            port=8_080,
            limits=_LIMITS,
            runtime="docker",
            duration_ms=391,
        ),
    ),
    (Service.BUILDER, ContainerPaused(node="node-1", container=_CONTAINER)),
    (Service.BUILDER, ContainerResumed(node="node-1", container=_CONTAINER)),
    (
        Service.BUILDER,
        ContainerStopped(node="node-1", container=_CONTAINER, why="exited", exit_code=137, out_of_memory=True),
    ),
    (Service.MONITOR, Healthy(container=_CONTAINER, probe="http", status=200, tries=3, duration_ms=48)),
    (Service.MONITOR, Unhealthy(container=_CONTAINER, probe="http", code="bad-status", status=503, failures=3)),
    (Service.ROUTER, CutoverStarted(containers=(_CONTAINER, "windlass-3f9c01ab-7d1c2b9e-2"))),
    (Service.ROUTER, DeploymentLive(generation=SEQUENCE, duration_ms=9_120)),
    (
        Service.BUILDER,
        Failed(
            stage=Stage.BUILD,
            code="exit",
            reason="The build command ended with exit code 2.",
            exit_code=2,
            log=LogRange(source="build-1", first=180, last=201),
        ),
    ),
    (
        Service.BUILDER,
        ContainerLooping(node="node-1", container=_CONTAINER, exits=5, exit_code=1, out_of_memory=False),
    ),
    (Service.BUILDER, PreDeployStarted(node="node-1", container="windlass-3f9c01ab-pre-7d1c2b9e")),
    (Service.BUILDER, PreDeploySucceeded(container="windlass-3f9c01ab-pre-7d1c2b9e", duration_ms=2_204)),
    (Service.GATEWAY, DeploymentScaled(replicas=3, note=_id("why it is scaled"))),
    (Service.GATEWAY, RestartRequested(note=_id("why it is restarted"))),
    (Service.BUILDER, RestartSucceeded(request=EventId(_id("restart")), replaced=3, duration_ms=7_310)),
    (
        Service.BUILDER,
        RestartFailed(
            request=EventId(_id("restart")),
            replaced=1,
            code="not-healthy",
            reason="The fresh container did not become healthy within 60 s; its log says why.",
        ),
    ),
)

_TOKEN = TokenId(_id("token"))
_RECIPE = Recipe(
    runner="node", build_command="npm ci", start_command="exec node server.js", detected_by="package-script"
)
_REACTION = AggregateKey.of_reaction(
    TEAM, reaction_id(Service.MONITOR, "watches", EventId(_id("container.started.v1")))
)
_OF_TEAM: tuple[tuple[Service, AggregateKey, Event], ...] = (
    (
        Service.GATEWAY,
        AggregateKey.of_tokens(TEAM),
        ApiTokenCreated(
            token=_TOKEN,
            name="Deploys from CI",
            digest=_DIGEST,
            permissions=("read", "deploy"),
            expires_at=_NOON + timedelta(days=90),
        ),
    ),
    (Service.GATEWAY, AggregateKey.of_tokens(TEAM), ApiTokenRevoked(token=_TOKEN)),
    (
        Service.GATEWAY,
        AggregateKey.of_inspection(TEAM, InspectionId(_id("inspection"))),
        InspectionRequested(
            source=GitSource(repository="https://git.example.com/shop/api.git", ref="main"), root="services/api"
        ),
    ),
    (
        Service.BUILDER,
        AggregateKey.of_inspection(TEAM, InspectionId(_id("inspection"))),
        SourceInspected(
            commit=_COMMIT,
            branch="main",
            recipe=_RECIPE,
            branches=(Head(name="main", commit=_COMMIT), Head(name="next", commit=_COMMIT)),
            tags=(Head(name="v1.2.0", commit=_COMMIT),),
            duration_ms=312,
        ),
    ),
    (
        Service.BUILDER,
        AggregateKey.of_inspection(TEAM, InspectionId(_id("inspection"))),
        InspectionFailed(code="login-needed", reason="The repository does not exist, or needs a login."),
    ),
    (
        Service.MONITOR,
        _REACTION,
        ReactionAbandoned(
            reactor="watches",
            sequence=SEQUENCE,
            event=_id("container.started.v1"),
            type="container.started.v1",
            attempts=30,
            error="windlass_monitor.application.watch.ProbeError",
            place="windlass_monitor.application.watch:57",
            note=_id("what the error said"),
        ),
    ),
    (Service.GATEWAY, _REACTION, ReactionRetried(note=_id("why it is tried again"))),
    (Service.MONITOR, _REACTION, ReactionRecovered()),
    (Service.GATEWAY, _REACTION, ReactionDiscarded(note=_id("why it is not needed any more"))),
)


_RUN = AggregateKey.of_run(TEAM, PROJECT, RunId(_id("run")))
_OF_RUN: tuple[tuple[Service, Event], ...] = (
    (Service.GATEWAY, RunRequested(deployment=NOW, command=_id("command line"), terminal=True, limits=_LIMITS)),
    (Service.BUILDER, RunStarted(node="node-1", container="windlass-3f9c01ab-once-7d1c2b9e")),
    (Service.BUILDER, RunEnded(code="exited", exit_code=0, duration_ms=61_020)),
)


def _metadata(event: Event, place: int) -> Metadata:
    begun_by_person = place == 0
    return Metadata(
        id=EventId(_id(event.TYPE)),
        time=_NOON + timedelta(seconds=place),
        actor=f"person:{_id('person')}" if begun_by_person else "service:builder",
        correlation=EventId(_id("deployment.requested.v1")),
        causation=None if begun_by_person else EventId(_id("cause")),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def _examples() -> dict[str, Proposed[Event]]:
    of_project = [
        Proposed(service, AggregateKey.of_project(TEAM, PROJECT, event.AGGREGATE), event, _metadata(event, place))
        for place, (service, event) in enumerate(_OF_PROJECT)
    ]
    of_deployment = [
        Proposed(service, AggregateKey(TEAM, PROJECT, Aggregate.DEPLOYMENT, NOW), event, _metadata(event, place))
        for place, (service, event) in enumerate(_OF_DEPLOYMENT)
    ]
    of_team = [
        Proposed(service, key, event, _metadata(event, place)) for place, (service, key, event) in enumerate(_OF_TEAM)
    ]
    of_run = [Proposed(service, _RUN, event, _metadata(event, place)) for place, (service, event) in enumerate(_OF_RUN)]
    return {proposed.event.TYPE: proposed for proposed in (*of_project, *of_deployment, *of_team, *of_run)}


EXAMPLES = _examples()
