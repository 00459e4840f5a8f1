"""What `windlass up` says, for programs that read it."""

import json

import pytest

from windlass.up.narrator import narrator_for_stdout


def test_as_json_each_thing_that_is_said_is_one_document_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    narrator = narrator_for_stdout(as_json=True)
    with narrator.step("NATS"):
        narrator.say('it "starts"\n')
    narrator.warn("builder runs again.")
    narrator.show({"Apps": "http://<alias>.localhost:8080"})
    said, step, warning, summary = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert said == {"kind": "said", "text": 'it "starts"\n'}
    assert (step["kind"], step["title"], step["done"]) == ("step", "NATS", True)
    assert warning == {"kind": "warning", "text": "builder runs again."}
    assert summary == {"kind": "summary", "lines": {"Apps": "http://<alias>.localhost:8080"}}


def test_as_json_a_step_that_failed_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="no"), narrator_for_stdout(as_json=True).step("NATS"):
        raise OSError("no")
    assert json.loads(capsys.readouterr().out)["done"] is False
