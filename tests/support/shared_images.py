"""An image of this machine's engine, made known to another engine that does not run yet, without copying its layers.

Layers are never written to, so that both engines may have the same folders. To save and load an image of a runner
takes ten seconds; this takes a tenth of one.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from windlass.provisioning.engine import Engine


def share_image(engine: Engine, tag: str, data_root: Path) -> Sequence[Path]:
    """Enter the image among those of the engine that will keep its data there; return its layers' folders.

    They are to be bound to the folders of their names in `overlay2`, which are made.
    """
    source = Path(_ask(engine, "info", "--format", "{{.DockerRootDir}}"))
    image = json.loads(_ask(engine, "inspect", "--type", "image", tag))[0]
    _register(source, image["Id"], tag, data_root)
    return [_enter(source, chain, data_root) for chain in _chains(image["RootFS"]["Layers"])]


def _chains(layers: Sequence[str]) -> Iterator[str]:
    """Yield the names of layers upon layers, as the image specification defines them ("Layer ChainID")."""
    below = accumulate(layers, lambda chain, layer: f"sha256:{hashlib.sha256(f'{chain} {layer}'.encode()).hexdigest()}")
    return (one.removeprefix("sha256:") for one in below)


def _enter(source: Path, chain: str, data_root: Path) -> Path:
    known = Path("image", "overlay2", "layerdb", "sha256", chain)
    shutil.copytree(source / known, data_root / known, dirs_exist_ok=True)
    folder = Path("overlay2", (source / known / "cache-id").read_text())
    (data_root / folder).mkdir(parents=True, exist_ok=True)
    short = data_root / "overlay2" / "l" / (source / folder / "link").read_text()
    short.parent.mkdir(exist_ok=True)
    if not short.is_symlink():
        short.symlink_to(Path("..", folder.name, "diff"))
    return source / folder


def _register(source: Path, identity: str, tag: str, data_root: Path) -> None:
    kind, _, digest = identity.partition(":")
    content = Path("image", "overlay2", "imagedb", "content", kind, digest)
    (data_root / content).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / content, data_root / content)
    names = data_root / "image" / "overlay2" / "repositories.json"
    known = json.loads(names.read_text()) if names.exists() else {"Repositories": {}}
    known["Repositories"].setdefault(tag.rpartition(":")[0], {})[tag] = identity
    names.write_text(json.dumps(known))


def _ask(engine: Engine, *arguments: str) -> str:
    command = ["docker", "--host", engine.url, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
