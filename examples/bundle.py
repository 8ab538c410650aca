#!/usr/bin/env python3
"""Makes one file that installs ippbx-bill where there is no internet: the wheels of everything, for all systems.

    python3 examples/bundle.py ippbx-bill-bundle.zip          # on a machine with internet, in the source's folder
    python3 -m zipfile -e ippbx-bill-bundle.zip .             # on the site, then
    python3 ippbx-bill-bundle/install.py /opt/ippbx-bill

The versions are those of `.ci/locked-run.txt`, and pip checks their hashes on both machines. `--system` and `--python`
(repeatable) make a smaller bundle: linux-x86_64, linux-arm64 and windows-x86_64; 3.11 and newer.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
LOCKED = SOURCE / ".ci" / "locked-run.txt"
FOLDER = "ippbx-bill-bundle"
PYTHONS = ("3.11", "3.12", "3.13")
SOURCE_ONLY = ("phone",)  # pure Python that is published without a wheel: one is made here, and its hash is listed
# By system: what pip calls it, from the newest to the oldest, and what Python says there.
SYSTEMS = {
    "linux-x86_64": (("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"), "linux"),
    "linux-arm64": (("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"), "linux"),
    "windows-x86_64": (("win_amd64",), "win32"),
}
ENTRY = re.compile(r"^[A-Za-z0-9].*?(?=^[A-Za-z0-9]|\Z)", re.MULTILINE | re.DOTALL)
MARKER = re.compile(r"sys_platform (==|!=) '(\w+)'")

INSTALL = '''\
#!/usr/bin/env python3
"""Installs ippbx-bill from this folder, without internet: `python3 install.py /opt/ippbx-bill`."""

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(f"say where to: {sys.argv[0]} /opt/ippbx-bill")
    target = Path(sys.argv[1]).absolute()
    venv.create(target, with_pip=True)
    programs = target / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-index"]
    wheels = ["--find-links", str(HERE / "wheels")]
    (own,) = HERE.glob("ippbx_bill-*.whl")
    for what in (["--require-hashes", "--requirement", str(HERE / "requirements.txt")], ["--no-deps", str(own)]):
        if code := subprocess.run([*pip, *wheels, *what]).returncode:
            sys.exit(code)
    print(f"installed: {programs / 'ippbx-bill'}")


if __name__ == "__main__":
    main()
'''


def main() -> None:
    wanted = arguments()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        gather(place, wanted.system or list(SYSTEMS), wanted.python or list(PYTHONS))
        count = pack(place, wanted.target)
    print(f"{wanted.target}: {count} files, {wanted.target.stat().st_size / 1e6:.0f} MB")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", type=Path, metavar="FILE.zip")
    parser.add_argument("--system", action="append", choices=SYSTEMS, help="repeatable; default: all")
    parser.add_argument("--python", action="append", metavar="3.X", help=f"repeatable; default: {', '.join(PYTHONS)}")
    return parser.parse_args()


def gather(place: Path, systems: list[str], pythons: list[str]) -> None:
    """Our own wheel, those of everything else, the list of exact versions, and the script that installs them."""
    pip("wheel", "--no-deps", "--wheel-dir", str(place), str(SOURCE))
    locked = with_wheels_made(LOCKED.read_text("utf-8"), place / "wheels")
    for system in systems:
        tags, spoken = SYSTEMS[system]
        chosen = place / f"{system}.txt"
        chosen.write_text("".join(entries(locked, spoken)), "utf-8")
        for version in pythons:
            platforms = [word for tag in tags for word in ("--platform", tag)]
            abis = [word for abi in (f"cp{version.replace('.', '')}", "abi3", "none") for word in ("--abi", abi)]
            made = ["--dest", str(place / "wheels"), "--find-links", str(place / "wheels")]
            what = ["--require-hashes", "--no-deps", "--requirement", str(chosen), *made]
            exactly = ["--python-version", version, "--implementation", "cp", *platforms, *abis]
            pip("download", "--only-binary", ":all:", *exactly, *what)
        chosen.unlink()
    (place / "requirements.txt").write_text(locked, "utf-8")
    (place / "install.py").write_text(INSTALL, "utf-8")


def with_wheels_made(locked: str, wheels: Path) -> str:
    """The list with the wheels that are made here in place of the sources they are made of."""
    for entry in ENTRY.findall(locked):
        name, _, rest = entry.partition("==")
        if name in SOURCE_ONLY:
            with tempfile.TemporaryDirectory() as folder:
                asked = Path(folder) / "source.txt"
                asked.write_text(entry, "utf-8")
                pip("wheel", "--require-hashes", "--no-deps", "--wheel-dir", str(wheels), "--requirement", str(asked))
            (made,) = wheels.glob(f"{name}-*.whl")
            digest = hashlib.sha256(made.read_bytes()).hexdigest()
            locked = locked.replace(entry, f"{name}=={rest.split()[0]} --hash=sha256:{digest}\n")
    return locked


def entries(locked: str, system: str) -> Iterator[str]:
    """The entries of a list that a system needs, without their marker: pip would judge it by the machine it runs on."""
    for entry in ENTRY.findall(locked):
        if holds(entry, system):
            yield re.sub(r" ;[^\\\n]*", " ", entry, count=1)


def holds(entry: str, system: str) -> bool:
    """Whether the entry's marker is true there; one that asks for something else than the system is kept."""
    found = MARKER.search(entry.partition("\n")[0])
    return found is None or (found[2] == system) is (found[1] == "==")


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    if code := subprocess.run(command, check=False).returncode:
        sys.exit(code)


def pack(place: Path, target: Path) -> int:
    """Everything below the folder as one file; wheels are packed already."""
    found = sorted(path for path in place.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in found:
            archive.write(path, f"{FOLDER}/{path.relative_to(place).as_posix()}")
    return len(found)


if __name__ == "__main__":
    main()
