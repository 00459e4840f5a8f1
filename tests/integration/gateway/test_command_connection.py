"""How the command finds an installation, and what it says where it finds none that lets it in."""

from pathlib import Path

import pytest

from support.command import DEPLOY, Command
from support.http_server import served
from support.memory_gateway import TOKEN, MemoryGateway


@pytest.mark.parametrize(
    "arguments", [("ps",), ("events",), DEPLOY, ("logs", "shop"), ("explain", "abcd"), ("env", "list", "a")]
)
async def test_a_wrong_token_is_one_answer_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    gateway = MemoryGateway()
    async with served(gateway) as url:
        outcome = await Command(tmp_path, {"WINDLASS_URL": url, "WINDLASS_TOKEN": "wrong"})(*arguments)
    assert outcome.code == 2
    assert "does not let you in" in outcome.err
    assert "windlass up" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "No installation of Windlass is known"),
        ({"WINDLASS_URL": "http://127.0.0.1:1"}, "no token"),
        ({"WINDLASS_URL": "http://127.0.0.1:1", "WINDLASS_TOKEN": "t"}, "nothing listens there"),
        ({"WINDLASS_URL": "http://windlass.localhost:1", "WINDLASS_TOKEN": "t"}, "nothing listens there"),
        ({"WINDLASS_URL": "nonsense", "WINDLASS_TOKEN": "t"}, "that is no address"),
        ({"WINDLASS_URL": "http://[", "WINDLASS_TOKEN": "t"}, "that is no address"),
        ({"WINDLASS_URL": "http://127.0.0.1:1", "WINDLASS_TOKEN": "ü\n"}, "that is no address, or the token is none"),
    ],
)
async def test_with_nothing_to_talk_to_the_command_says_what_to_do(
    tmp_path: Path, environment: dict[str, str], says: str
) -> None:
    outcome = await Command(tmp_path, environment)("ps")
    assert (outcome.code, outcome.out) == (2, "")
    assert says in outcome.err
    assert "Traceback" not in outcome.err
    assert len(outcome.err.splitlines()) == 2


async def test_the_host_below_localhost_reaches_loopback_with_its_name(tmp_path: Path) -> None:
    gateway = MemoryGateway()
    async with served(gateway) as url:
        named = url.replace("127.0.0.1", "windlass.localhost")
        outcome = await Command(tmp_path, {"WINDLASS_URL": named, "WINDLASS_TOKEN": TOKEN})("ps", "--json")
    assert (outcome.code, outcome.document) == (0, []), outcome.err
