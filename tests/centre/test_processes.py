"""Three sites, a collector and two raters as processes, killed at random: each call once, the sites' sums."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ippbx_billing.ship import keys
from tests.centre.sites import Centre, at_centre, at_home, fill, records
from tests.manual.typist import free_port

SITES = ("hq", "shop", "depot")
PATIENCE_S = 240


class Company:
    """The processes of a company; each is started again by hand, as systemd would."""

    def __init__(self, dsn: str) -> None:
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.commands: dict[str, list[str]] = {}
        self.environment = {**os.environ, "IPPBX_BILL_CENTRE": dsn}

    def start(self, name: str, *words: str) -> None:
        self.commands[name] = [sys.executable, "-m", "ippbx_billing", *words]
        self.again(name)

    def again(self, name: str) -> None:
        quiet = subprocess.DEVNULL
        self.running[name] = subprocess.Popen(self.commands[name], env=self.environment, stdout=quiet, stderr=quiet)

    def kill(self, name: str) -> None:
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()

    def end(self) -> None:
        for name in self.running:
            self.kill(name)


@pytest.mark.slow
def test_5_6_killed_at_random_the_centre_has_the_sites_sums(dsn: str, site: Path, tmp_path: Path) -> None:
    """Shippers, collector and raters die in the middle; at the end all is there, once, to the digit."""
    centre, chance = Centre(dsn), random.Random(19)
    folders = {name: Path(shutil.copytree(site, tmp_path / name)) for name in SITES}
    for number, (name, folder) in enumerate(folders.items()):
        keys.write(folder / "ship.key", centre.add(name, folder))
        fill(folder, records(600, seed=number))
    company, port = Company(dsn), str(free_port())
    try:
        company.start("collector", "centre", "collect", "--port", port)
        for rater in ("rater 1", "rater 2"):
            company.start(rater, "centre", "rate")
        for name, folder in folders.items():
            to = f"http://127.0.0.1:{port}"
            company.start(name, "--data-dir", str(folder), "ship", "--to", to, "--site", name)
        for kills in range(12):
            time.sleep(chance.uniform(0.3, 2.0))
            name = chance.choice(list(company.commands))
            company.kill(name)
            if kills == 6:
                fill(folders["depot"], records(300, seed=9))
            company.again(name)
        ends = time.monotonic() + PATIENCE_S
        wanted = {name: at_home(folder) for name, folder in folders.items()}
        while time.monotonic() < ends and {name: at_centre(dsn, name) for name in SITES} != wanted:
            time.sleep(0.5)
    finally:
        company.end()
        centre.close()
    assert {name: at_centre(dsn, name) for name in SITES} == wanted
    assert {name: at_centre(dsn, name, "rollups") for name in SITES} == wanted
    assert sum(calls for sums in wanted.values() for calls, *_ in sums.values()) == 2_100
