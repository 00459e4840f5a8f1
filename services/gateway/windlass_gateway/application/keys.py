"""The use cases of the keys that stored values are encrypted with: what they are used for, and rotating them."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import structlog

from windlass_eventlog.errors import KeysChangingError
from windlass_eventlog.key_rotation import KeyUse, Rotation, rotate, uses
from windlass_gateway.application.access import Caller, Permission
from windlass_gateway.application.gateway import Gateway
from windlass_gateway.application.projections import CREDENTIALS, ENVIRONMENTS, PROJECTS, SECRETS
from windlass_gateway.domain.refusals import RotationUnderWayError
from windlass_gateway.domain.stored import NamedSecret

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that none of the keys opens; `variable` is what it was set to, or the credential that it is.

    None where no event names it.
    """

    secret: UUID
    variable: str | None


@dataclass(frozen=True, slots=True)
class KeysOverview:
    """The keys, the newest first, with the values that each encrypts, and the values that none opens."""

    keys: Sequence[KeyUse]
    unreadable: Sequence[Unreadable]


@dataclass(frozen=True, slots=True)
class ManagingKeys:
    """Rotates keys, for those who administer the installation: the keys are all teams'."""

    gateway: Gateway

    async def overview(self, caller: Caller) -> KeysOverview:
        """Return what the keys are used for.

        Raises:
            KeysUnusableError: they cannot be read.
            LogUnavailableError: the values cannot be read.
        """
        caller.demand(Permission.ADMINISTER)
        used, unreadable = await uses(self.gateway.vault)
        return KeysOverview(used, await self.named(unreadable))

    async def rotate(self, caller: Caller) -> AsyncGenerator[Rotation, None]:
        """Rotate the keys, and yield how far that is; whoever ends it early can go on later.

        Raises:
            Refusal: somebody else is at it.
            KeysUnusableError: they cannot be read or replaced.
            LogUnavailableError: the values cannot be read or replaced.
        """
        caller.demand(Permission.ADMINISTER)
        try:
            async with aclosing(rotate(self.gateway.vault)) as states:
                async for state in states:
                    if state.done:
                        await self._told(caller, state)
                    yield state
        except KeysChangingError as error:
            raise RotationUnderWayError from error

    async def _told(self, caller: Caller, state: Rotation) -> None:
        await _log.ainfo(
            "keys.rotated",
            by=caller.actor,
            key=state.key,
            values=state.values,
            encrypted=state.encrypted,
            unreadable=[str(secret) for secret in state.unreadable],
            retired=state.retired,
        )

    async def named(self, secrets: Iterable[UUID]) -> list[Unreadable]:
        """Return values with the variables that were set to them, or the credentials that they are."""
        wanted = list(secrets)
        rows = await self.gateway.rows.get_all(SECRETS, wanted)
        credentials = await self._credentials() if len(rows) < len(wanted) else {}
        return [
            Unreadable(one, await self._variable(rows[one].row) if one in rows else credentials.get(one))
            for one in wanted
        ]

    async def _credentials(self) -> dict[UUID, str]:
        found = await self.gateway.rows.find(CREDENTIALS, {})
        projects = await self.gateway.rows.get_all(PROJECTS, [one.key for one in found])
        return {
            credential.secret: f"{projects[one.key].row.slug}: {credential.kind} for {credential.host}"
            for one in found
            if one.key in projects
            for credential in one.row.all
        }

    async def _variable(self, row: NamedSecret) -> str:
        project = await self.gateway.rows.get(PROJECTS, row.project)
        slug = str(row.project) if project is None else project.row.slug
        if row.environment is None:
            return f"{slug}: {row.name or 'the line of a one-off command'}"
        environments = await self.gateway.rows.get(ENVIRONMENTS, row.project)
        found = None if environments is None else environments.row.by_id(row.environment)
        return f"{slug}: {row.name} ({row.environment if found is None else found.name})"
