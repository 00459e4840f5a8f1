"""The wheel is the whole product: it needs no checkout."""

import subprocess
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
PROOF = """
import importlib
from pathlib import Path
for name in ("contracts", "eventlog", "gateway", "builder", "monitor", "router", "logs"):
    module = importlib.import_module(f"windlass_{name}")
    assert Path(module.__file__).is_relative_to(Path("{venv}")), module.__file__
from windlass.resources import examples, infra
from windlass.provisioning.base_image import base_recipe
assert (infra() / "runners" / "python" / "Dockerfile").is_file()
assert (examples() / "README.md").is_file()
assert "Dockerfile" in base_recipe().files
from windlass_gateway.entrypoints.pages.assets import assets
from windlass_gateway.entrypoints.pages.rendering import part
assert assets().address("app.css").startswith("/static/app.")
assert "<dialog" in part("parts/palette.html")
"""


def test_wheel_installs_and_finds_its_files_without_the_checkout(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    unisolated = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(CHECKOUT)]
    subprocess.run([*pip, "wheel", *unisolated], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("windlass-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    subprocess.run(
        [*pip, "--python", venv / "bin" / "python", "install", "--no-deps", wheel], check=True, capture_output=True
    )
    # The dependencies are those locked here; PYTHONPATH reads no .pth file, so that the checkout stays out.
    environment = {"PYTHONPATH": sysconfig.get_path("purelib")}
    proof = PROOF.replace("{venv}", str(venv))
    subprocess.run([venv / "bin" / "python", "-c", proof], check=True, cwd=tmp_path, env=environment)
