"""A machine whose engine is killed, which loses its power, and on which others have things too: nothing is lost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.git_server import make_repository, smart_http
from support.installations import read_example
from support.platform import Platform
from support.ports import free_port
from support.private_machine import PrivateMachine
from support.story import Story

pytestmark = pytest.mark.docker
pytest_plugins = ["support.machines"]

OTHERS = "dev.windlass.installation=ffffffff"
QUICKLY = {"drain_s": 1, "grace_s": 1, "keep_warm_s": 600}


@pytest.mark.timeout(300)  # the engine starts four times
def test_what_should_run_answers_again_and_nothing_foreign_is_touched(machine: PrivateMachine, tmp_path: Path) -> None:
    environment = {"WINDLASS_LOOPBACK_REPOSITORIES": "true", "DOCKER_HOST": machine.url}
    platform = Platform(tmp_path / "home", free_port(), "docker", environment, own_session=True)
    machine.boot()
    with machine.network():
        foreign = _things_of_others(machine)
        with smart_http(tmp_path / "git") as url:
            platform.start()
            story = Story(platform, "app")
            repository = make_repository(tmp_path / "git" / "app", read_example("hello-python"))
            old = story.deploy(f"{url}/app", retirement=QUICKLY)
            repository.commit({"notes.txt": "another version"})
            new = story.deploy(f"{url}/app", retirement=QUICKLY)
        story.waited_for("container.paused.v1", old["id"])
        address = _address(machine, new)

        machine.kill_engine()
        assert story.answer()[0] == 200  # apps do not need the engine
        machine.start_engine()
        story.until_it_answers()
        assert _address(machine, new) == address

        machine.stop_engine()
        machine.start_engine()
        story.until_it_answers()
        assert _address(machine, new) == address

        platform.kill()
    machine.power_off()
    machine.boot()
    with machine.network():
        platform.start()
        story.until_it_answers()
        assert _address(machine, new) == address
        story.roll_back(old["id"])
        assert story.answer()[0] == 200
        assert platform.windlass("gc").returncode == 0
        platform.stop()
        platform.windlass("down", "--apps", "--home", str(platform.home))
        assert _everything(machine) == foreign


def _address(machine: PrivateMachine, deployment: Mapping[str, Any]) -> str:
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return machine.docker("inspect", "--format", form, deployment["containers"][0]["name"])


def _things_of_others(machine: PrivateMachine) -> Mapping[str, list[str]]:
    """Make what another installation and strangers have on the engine, and return all that there is on it."""
    labels = {"another": OTHERS, "similar": "dev.windlass.installations=1", "unlabelled": "a=b"}
    image = machine.docker("images", "--format", "{{.ID}}", "--filter", "reference=windlass/runner-static")
    for name, label in labels.items():
        marked = ("--label", label, "--label", "dev.windlass.role=runner")
        machine.docker("network", "create", *marked, f"windlass-{name}")
        machine.docker("volume", "create", *marked, f"windlass-{name}")
        placed = ("--network", f"windlass-{name}", "--name", f"windlass-{name}", "--volume", f"windlass-{name}:/data")
        running = ("--detach", "--init", "--restart", "always", *placed, *marked)
        machine.docker("run", *running, image, "sleep", "infinity")
        machine.docker("commit", "--change", f"LABEL {label}", f"windlass-{name}", f"windlass-{name}:1")
    return _everything(machine)


def _everything(machine: PrivateMachine) -> Mapping[str, list[str]]:
    listings = {
        "containers": ("ps", "--all", "--format", "{{.ID}} {{.Names}} {{.State}}"),
        "images": ("images", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"),
        "networks": ("network", "ls", "--filter", "type=custom", "--format", "{{.ID}} {{.Name}}"),
        "volumes": ("volume", "ls", "--format", "{{.Name}}"),
    }
    found = {kind: sorted(machine.docker(*listing).splitlines()) for kind, listing in listings.items()}
    # Runners and what they are made of belong to nobody: every installation may make them, and needs them.
    return {kind: [line for line in lines if " windlass/" not in line] for kind, lines in found.items()}
