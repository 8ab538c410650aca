"""What is installed is what was tested: the wheel holds every data file and works without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import PROJECT


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the checkout, unpacked as an installation would lay it out."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(PROJECT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (wheel,) = place.glob("ippbx_bill-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_the_wheel_holds_every_file_of_the_package(unpacked: Path) -> None:
    """Dialects, tables, catalogues and the typing mark as well; no caches, no tests."""
    tracked = subprocess.run(
        ["git", "ls-files", "ippbx_billing"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert tracked
    assert [name for name in tracked if (PROJECT / name).exists() and not (unpacked / name).exists()] == []
    assert not (unpacked / "tests").exists()


def test_the_wheel_works_on_its_own(unpacked: Path, tmp_path: Path) -> None:
    """Set up, quote and list from the unpacked wheel alone."""

    def run(*arguments: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(unpacked), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "ippbx_billing", "--data-dir", str(tmp_path / "data"), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    run("init", "--area-code", "022")
    assert "0.98" in run("quote", "02162345678", "--seconds", "80", "--at", "2026-10-13T10:00")
    assert "yeastar" in run("dialects", "list")
    assert "上海" in run("--lang", "zh", "numbers", "lookup", "02162345678")
    origin = [sys.executable, "-c", "import ippbx_billing; print(ippbx_billing.__file__)"]
    found = subprocess.run(
        origin,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip().startswith(str(unpacked))
