"""An image is rebuilt when anything it is made from changed, and never otherwise."""

import io
import tarfile
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from windlass.provisioning.recipe import Recipe

FILES = st.dictionaries(st.text("abc/", min_size=1, max_size=4).map(lambda name: f"f{name}"), st.binary(max_size=8))


@given(FILES, st.randoms())
def test_digest_does_not_depend_on_the_order_of_files(files: dict[str, bytes], order: Random) -> None:
    shuffled = list(files.items())
    order.shuffle(shuffled)
    assert Recipe(dict(shuffled)).digest() == Recipe(files).digest()


@given(FILES, FILES)
def test_digests_are_equal_only_for_equal_files(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (Recipe(one).digest() == Recipe(other).digest()) == (one == other)


def test_digest_follows_the_image_below() -> None:
    recipe = Recipe({"Dockerfile": b"FROM base"})
    assert len({recipe.digest(), recipe.digest("a"), recipe.digest("b"), recipe.digest("a", "b")}) == 4


@given(FILES)
def test_build_context_holds_the_digested_files_and_nothing_else(files: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(Recipe(files).context())) as tar:
        assert {entry.name: content(tar, entry) for entry in tar} == files


def content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    extracted = tar.extractfile(entry)
    assert extracted is not None
    return extracted.read()


def test_a_folder_is_read_whole_with_paths_below_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "Dockerfile").write_bytes(b"FROM scratch")
    (tmp_path / "below" / "uv.txt").write_bytes(b"uv")
    assert Recipe.read(tmp_path).files == {"Dockerfile": b"FROM scratch", "below/uv.txt": b"uv"}
