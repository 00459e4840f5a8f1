"""How a source is built and started is found in its files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass_builder.domain.detection import Listing, NothingToStartError, detect
from windlass_builder.domain.recipes import REQUIREMENTS
from windlass_contracts.config import DeploymentConfig

NOTHING_SET = DeploymentConfig()


def listing(*names: str, **texts: str) -> Listing:
    return Listing(frozenset(names) | frozenset(texts), texts)


def test_a_lone_program_needs_no_build_and_is_started_as_it_is() -> None:
    recipe = detect(NOTHING_SET, listing("server.py", "README.md"))
    assert (recipe.build_command, recipe.start_command, recipe.detected_by) == (
        None,
        "exec python3 server.py",
        "entry-point",
    )


def test_fastapi_in_the_requirements_is_started_with_uvicorn() -> None:
    files = Listing(frozenset({"main.py", "requirements.txt"}), {"requirements.txt": "FastAPI>=0.1\nuvicorn\n"})
    recipe = detect(NOTHING_SET, files)
    assert recipe.build_command == REQUIREMENTS
    assert recipe.start_command == "exec uvicorn main:app --host 0.0.0.0 --port $PORT"


def test_a_package_whose_name_only_begins_alike_is_not_taken_for_it() -> None:
    files = Listing(frozenset({"app.py", "requirements.txt"}), {"requirements.txt": "flasky==1\n"})
    assert detect(NOTHING_SET, files).detected_by == "entry-point"


def test_the_procfile_wins_over_what_is_detected() -> None:
    files = Listing(
        frozenset({"main.py", "Procfile"}), {"Procfile": "release: ./migrate\nweb:  python3 -m site.serve \n"}
    )
    recipe = detect(NOTHING_SET, files)
    assert (recipe.start_command, recipe.detected_by) == ("python3 -m site.serve", "procfile")


def test_the_configuration_wins_over_all() -> None:
    config = DeploymentConfig(build_command="make", start_command="./run")
    files = Listing(frozenset({"Procfile", "requirements.txt"}), {"Procfile": "web: other"})
    recipe = detect(config, files)
    assert (recipe.build_command, recipe.start_command, recipe.detected_by) == ("make", "./run", "configuration")


def test_a_source_that_says_nothing_is_refused_with_the_ways_out() -> None:
    with pytest.raises(NothingToStartError, match=r"start command.*Procfile.*main\.py"):
        detect(NOTHING_SET, listing("README.md"))


@given(st.text(), st.text(), st.sets(st.sampled_from(["main.py", "Procfile", "requirements.txt", "pyproject.toml"])))
def test_no_text_in_a_telling_file_breaks_detection(procfile: str, requirements: str, names: set[str]) -> None:
    files = Listing(frozenset(names), {"Procfile": procfile, "requirements.txt": requirements})
    try:
        recipe = detect(NOTHING_SET, files)
    except NothingToStartError:
        return
    assert recipe.start_command is not None
    assert 0 < len(recipe.start_command) <= 10_000
