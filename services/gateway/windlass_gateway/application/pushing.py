"""The use case of a push: every project of the repository whose environments take the branch is deployed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from windlass_contracts.events.deployment import GitSource
from windlass_contracts.ids import NoteId, PersonId, ProjectId
from windlass_eventlog.projection import Versioned
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.deleting_branches import DeletingBranches
from windlass_gateway.application.deploying import Deploying, DeployRequest, Requested
from windlass_gateway.application.finding import Finder
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.personal import Person
from windlass_gateway.application.projections import PROJECTS
from windlass_gateway.domain.branch_deletion import AddressGoes
from windlass_gateway.domain.environments import PRODUCTION
from windlass_gateway.domain.project import Project
from windlass_gateway.domain.pushes import Author, Ignored, Push, decide_branch, decide_push, ignored
from windlass_gateway.domain.refusals import Refusal
from windlass_gateway.domain.webhook_keys import WebhookKeys

_TRIGGER = "webhook"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a push did to one project."""

    project: str
    result: Requested | AddressGoes | Ignored


@dataclass(frozen=True, slots=True)
class Signal:
    """What a sender that knows the project wants deployed; without an environment, where the ref belongs."""

    key: str
    ref: str | None = None
    commit: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Pushing:
    """Takes pushes whose sender was made sure of."""

    gateway: Gateway
    keys: WebhookKeys

    async def push(self, caller: Caller, push: Push) -> Sequence[Outcome] | Ignored:
        """Return what the push did, once all of it is durable; the same push again does the same, once.

        Raises:
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        reason = ignored(push)
        if reason is not None:
            return reason
        await self.gateway.rows.reached(self.gateway.own.settings)
        known = await self.gateway.rows.find(PROJECTS, {"team": caller.team, "place": tuple(sorted(push.places))})
        if not known:
            return Ignored("No project here has this repository: deploy it once, and its pushes are deployed.")
        return [await self._of(caller, push, project) for project in sorted(known, key=lambda one: one.row.slug)]

    async def signal(self, caller: Caller, signal: Signal, project: Versioned[Project]) -> Outcome:
        """Return what a signal did to the project that it is for, once it is durable.

        Raises:
            EventLogError: the log did not take it.
        """
        caller.demand(Permission.DEPLOY)
        if signal.environment is None and signal.ref is not None:
            environments = await self._finder(caller).environments(project.key)
            decision = decide_branch(signal.ref, project.row, environments)
            if isinstance(decision, Ignored):
                return Outcome(project.row.slug, decision)
            return await self._deploy(caller, project, self._request(project, signal, decision.name))
        return await self._deploy(caller, project, self._request(project, signal, signal.environment or PRODUCTION))

    async def _of(self, caller: Caller, push: Push, project: Versioned[Project]) -> Outcome:
        if push.commit is None and push.branch is not None:
            deleted = await DeletingBranches(self.gateway).delete(caller, project, push.branch, push.key)
            return Outcome(project.row.slug, deleted)
        environments = await self._finder(caller).environments(project.key)
        decision = decide_push(push, project.row, environments)
        if isinstance(decision, Ignored):
            return Outcome(project.row.slug, decision)
        signal = Signal(push.key, push.branch, push.commit)
        author, note = await asyncio.gather(self._author(push.author), self._note(push, ProjectId(project.key)))
        request = replace(self._request(project, signal, decision.name), author=author, note=note)
        return await self._deploy(caller, project, request)

    def _request(self, project: Versioned[Project], signal: Signal, environment: str) -> DeployRequest:
        source = GitSource(repository=project.row.repository or "", ref=signal.ref, commit=signal.commit)
        return DeployRequest(
            key=signal.key,
            trigger=_TRIGGER,
            source=source,
            project=project.row.slug,
            project_id=ProjectId(project.key),
            environment=environment,
        )

    async def _deploy(self, caller: Caller, project: Versioned[Project], request: DeployRequest) -> Outcome:
        """Request the deployment; a refusal is this project's alone, and an answer like any other."""
        try:
            return Outcome(project.row.slug, await Deploying(self.gateway).deploy(caller, request))
        except Refusal as refusal:
            return Outcome(project.row.slug, Ignored(f"{refusal.detail} {refusal.next_step}"))

    async def _author(self, author: Author | None) -> PersonId | None:
        """Keep the name beside the log, and return what the log may know."""
        if author is None:
            return None
        identity = self.keys.person(author.key)
        await self.gateway.personal.introduce(identity, Person(name=author.name))
        return identity

    async def _note(self, push: Push, project: ProjectId) -> NoteId | None:
        if push.subject is None:
            return None
        identity = self.keys.note(push.key, project)
        await self.gateway.personal.note(identity, push.subject)
        return identity

    def _finder(self, caller: Caller) -> Finder:
        return Finder(self.gateway.rows, caller.team)
