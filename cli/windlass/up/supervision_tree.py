"""All processes of an installation, in the order in which they start and stop."""

import asyncio
import signal
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from windlass.up.blueprint import Blueprint
from windlass.up.child import Exit, Running, describe_exit
from windlass.up.databases import ensure_database
from windlass.up.errors import StartError
from windlass.up.front_door import FrontDoor
from windlass.up.log_files import bound_log
from windlass.up.narrator import Narrator
from windlass.up.nursery import Nursery, Service
from windlass.up.service_settings import Surroundings
from windlass.up.supervised import Role, Supervised
from windlass.up.tasks import together

_FRONT = "gateway"
_JOB_SECONDS = 60.0
_BOUND_LOGS_SECONDS = 60.0
_POSTGRES_STOP_SECONDS = 30.0


class SupervisionTree:
    """Starts, keeps and stops everything; `inherited` is the descriptor that every process holds while it lives."""

    def __init__(
        self, blueprint: Blueprint, surroundings: Surroundings, inherited: int, door: FrontDoor, narrator: Narrator
    ) -> None:
        self._blueprint = blueprint
        self._around = surroundings
        self._inherited = inherited
        self._door = door
        self._narrator = narrator
        self._making_databases = asyncio.Lock()  # builders share one, and PostgreSQL minds who is faster
        targets = [*blueprint.services.values(), blueprint.provision_log, blueprint.keep_log]
        modules = list(dict.fromkeys(target.partition(":")[0] for target in targets))
        self._nursery = Nursery(modules, surroundings.home.log("services"), inherited)
        roles = self._roles()
        self._parent, self._nats, self._traefik, self._postgres = (Supervised(role, narrator) for role in roles)
        self._services = {
            name: Supervised(self._service_role(service, name, settings), narrator)
            for service in blueprint.services
            for name, settings in surroundings.processes_of(service).items()
        }
        self._keeper = Supervised(self._keeper_role(), narrator)

    async def start(self) -> None:
        """Start everything; returns once all of it is ready.

        Raises:
            UpError: a part did not start. What did is still running: `stop` it.
        """
        await together([self._start_nats(), self._start_postgres(), self._start_parent()])
        with self._narrator.step("Streams and buckets"):
            await self._provision_log()
        with self._narrator.step(f"Services: {', '.join(self._services)}; Traefik"):
            await together([part.start() for part in (self._traefik, self._keeper, *self._services.values())])

    async def keep(self) -> None:
        """Start again whatever ends, until cancelled."""
        await together([*(part.keep() for part in self._all), self._keep_logs_small()])

    async def stop(self) -> None:
        """Stop everything in order: who takes requests first, what all others rest on last."""
        for stage in self._stages():
            names = " and ".join(part.name for part in stage)
            with self._narrator.step(f"Stopping {names}"):
                await together([part.stop() for part in stage])

    async def kill(self) -> None:
        """End everything at once; nothing acknowledged is lost."""
        await together([part.kill() for part in self._all])

    @property
    def _all(self) -> Iterable[Supervised]:
        return [part for stage in self._stages() for part in stage]

    def _stages(self) -> Sequence[Sequence[Supervised]]:
        front = [part for name, part in self._services.items() if name == _FRONT]
        behind = [part for name, part in self._services.items() if name != _FRONT]
        stages = [front, [*behind, self._keeper], [self._parent], [self._traefik], [self._nats, self._postgres]]
        return [stage for stage in stages if stage]

    async def _start_nats(self) -> None:
        with self._narrator.step("NATS"):
            await self._nats.start()

    async def _start_postgres(self) -> None:
        with self._narrator.step("PostgreSQL"):
            await self._around.postgres.initialize(self._inherited)
            await self._postgres.start()

    async def _start_parent(self) -> None:
        with self._narrator.step("Loading the services"):
            await self._parent.start()

    async def _provision_log(self) -> None:
        name, log = "provisioning", self._around.home.log("provisioning")
        job = Service(name, self._blueprint.provision_log, self._around.provisioning, log)
        try:
            async with asyncio.timeout(_JOB_SECONDS):
                ended = await self._nursery.run(job)
        except TimeoutError:
            raise StartError.of(name, f"it took more than {_JOB_SECONDS:.0f} s", log) from None
        if ended != Exit(0):
            raise StartError.of(name, describe_exit(ended, log), log)

    async def _keep_logs_small(self) -> None:
        while True:
            await asyncio.sleep(_BOUND_LOGS_SECONDS)
            for log in self._around.home.logs.glob("*.log"):
                bound_log(log)

    def _roles(self) -> tuple[Role, Role, Role, Role]:
        nats, traefik, postgres = self._around.nats, self._around.traefik, self._around.postgres
        return (
            Role("services' parent", self._nursery.launch, self._around.home.log("services")),
            Role("NATS", partial(nats.launch, self._inherited), nats.log),
            Role("Traefik", partial(traefik.launch, self._inherited, self._door), traefik.log),
            # SIGINT: disconnects its clients and writes all that is in memory (pg_ctl's "fast" mode).
            Role(
                "PostgreSQL",
                partial(postgres.launch, self._inherited),
                postgres.log,
                signal.SIGINT,
                _POSTGRES_STOP_SECONDS,
            ),
        )

    def _service_role(self, service: str, name: str, settings: Mapping[str, str]) -> Role:
        log = self._around.home.log(name)
        process = Service(name, self._blueprint.services[service], settings, log)

        async def launch() -> Running:
            # Before each start: rows are folded anew from the log where somebody dropped the database.
            async with self._making_databases:
                await ensure_database(self._around.postgres, service, self._inherited)
            return await self._nursery.fork(process)

        return Role(name, launch, log)

    def _keeper_role(self) -> Role:
        log = self._around.home.log("keeper")
        keeper = Service("keeper", self._blueprint.keep_log, self._around.provisioning, log)
        return Role("keeper", partial(self._nursery.fork, keeper), log)
