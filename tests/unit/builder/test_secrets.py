"""What the builder does with values: a deployment whose value is gone fails by name, and output is nobody else's."""

from pathlib import Path

from support import router_events as say
from support.memory_builder import MemoryBuilder
from windlass_builder.adapters.processes.supervision.line_files import LineFiles
from windlass_contracts.config import DeploymentConfig
from windlass_contracts.events import Failed
from windlass_contracts.events.deployment import VariableVersion


async def test_a_deployment_whose_value_was_shredded_meanwhile_fails_with_the_name_and_runs_nothing(
    tmp_path: Path,
) -> None:
    builder = MemoryBuilder(tmp_path)
    secret = await builder.vault.store("hunter2")
    await builder.vault.shred(secret)
    deployment = say.deployment_number(1)
    requested = say.requested(config=DeploymentConfig(start_command="python server.py"))
    named = (VariableVersion(name="API_KEY", secret=secret),)
    await builder.tell(deployment, requested.model_copy(update={"variables": named}))

    await builder.reactors.settle()

    failed = builder.log.at(builder.log.length).event
    assert isinstance(failed, Failed)
    assert (failed.code, "API_KEY" in failed.reason) == ("variable-shredded", True)
    assert builder.runtime.running == set()


def test_what_an_app_writes_can_be_read_by_no_other_user(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    lines = LineFiles(str(folder))
    lines.write(1, b"a secret")
    lines.close()
    assert [path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())] == [0, 0]
