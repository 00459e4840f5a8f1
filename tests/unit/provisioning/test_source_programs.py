"""What some sources are fetched with is installed where that is ours to do, and nowhere else."""

import pytest

from windlass.provisioning import runners
from windlass.provisioning.errors import ProgramMissingError
from windlass.provisioning.progress import Progress, Silence


def test_programs_are_installed_only_where_that_is_ours_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Progress] = []
    monkeypatch.setattr(runners, "ensure_ssh_client", asked.append)
    monkeypatch.setattr(runners, "ensure_git_lfs", asked.append)
    monkeypatch.setattr(runners, "may_install", lambda: False)
    assert not runners.install_programs(Silence())
    assert not asked
    monkeypatch.setattr(runners, "may_install", lambda: True)
    assert not runners.install_programs(Silence())
    assert len(asked) == 2


def test_one_that_cannot_be_installed_is_said_and_keeps_none_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Progress) -> None:
        raise ProgramMissingError("It is missing.", "Install it.")

    asked: list[Progress] = []
    monkeypatch.setattr(runners, "may_install", lambda: True)
    monkeypatch.setattr(runners, "ensure_ssh_client", refuse)
    monkeypatch.setattr(runners, "ensure_git_lfs", asked.append)
    assert runners.install_programs(Silence())
    assert asked
    assert "It is missing." in capsys.readouterr().out
