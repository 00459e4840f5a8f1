"""The timers of what is about to go: none sleeps through a change."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast
from uuid import uuid4

from windlass_builder.application.containers import Containers
from windlass_builder.application.retiring import Retiring
from windlass_contracts.ids import DeploymentId, ProjectId
from windlass_eventlog.appender import Appender
from windlass_eventlog.clock import utc_now


@dataclass(slots=True)
class ChangedMeanwhile(Retiring):
    """Something changes while it is looked for the first time what is next: much later, by what was known then."""

    looks: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def _next(self, project: ProjectId, deployment: DeploymentId) -> timedelta | None:
        self.looks += 1
        if self.looks == 1:
            self._watch(project, deployment)
            return timedelta(hours=1)
        self.over.set()
        return None


async def test_what_changes_while_the_next_step_is_looked_for_is_looked_at_once_more() -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        retiring = ChangedMeanwhile(cast("Appender", None), cast("Containers", None), utc_now, tasks)
        retiring._watch(ProjectId(uuid4()), DeploymentId(uuid4()))
        await retiring.over.wait()

    assert retiring.looks == 2
