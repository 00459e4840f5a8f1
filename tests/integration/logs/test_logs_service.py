"""The logs service on real NATS and PostgreSQL: it reads what processes wrote, and stores it without their secrets."""

from contextlib import aclosing
from pathlib import Path

from support.running_service import INSTALLATION, environment, running, settings_of_a_service
from support.told_deployment import ToldDeployment
from windlass_contracts.logs import LogLine
from windlass_contracts.subjects import Service
from windlass_eventlog.buckets import Bucket
from windlass_eventlog.jetstream.buckets import JetStreamKeyValue
from windlass_eventlog.jetstream.connection import connection
from windlass_eventlog.jetstream.log import JetStreamLog
from windlass_eventlog.jetstream.provisioning import provision
from windlass_eventlog.logs.jetstream import JetStreamLogStore
from windlass_eventlog.logs.port import DeploymentLog, LogStore
from windlass_eventlog.vault import Vault
from windlass_logs.app import serve


async def lines(store: LogStore, log: DeploymentLog, count: int) -> list[LogLine]:
    found: list[LogLine] = []
    async with aclosing(store.follow(log)) as batches:
        while len(found) < count:
            found += (await anext(batches)).lines
    return found


async def test_output_is_stored_across_restarts_of_the_service(
    nats_url: str, database_url: str, tmp_path: Path
) -> None:
    await provision(nats_url)
    folder = tmp_path / "processes" / "runners" / "web-0" / "log"
    folder.mkdir(parents=True)
    output = folder / "0000000001.log"
    settings = settings_of_a_service(tmp_path, nats_url, database_url, Service.LOGS)
    with environment(settings):
        async with connection(nats_url, "test") as nats:
            told, store = ToldDeployment(JetStreamLog(nats, INSTALLATION)), JetStreamLogStore(nats)
            bucket = await JetStreamKeyValue.opened(nats, Bucket.SECRETS)
            vault = Vault.opened(bucket, Path(settings["WINDLASS_SECRETS_KEYS_FILE"]))
            await told.built({"PASSWORD": await vault.store("hunter2-hunter2")})
            log = DeploymentLog.of(told.key)
            async with running(serve):
                await told.started("web-0")
                output.write_text("1 1 password: hunter2-hunter2\n")
                await lines(store, log, 1)
            with output.open("a") as more:
                more.write("2 2 written while nobody read\n")
            async with running(serve):
                stored = await lines(store, log, 2)

    assert stored == [
        LogLine(time_ns=1, stream="out", text="password: ***"),
        LogLine(time_ns=2, stream="err", text="written while nobody read"),
    ]
