"""The data of `ippbx-bill demo --keep demo-data`, made by the same parts in a second: what the pages' examples use."""

from datetime import UTC, date, datetime
from pathlib import Path

from typer.testing import CliRunner

from ippbx_billing.cli.app import app
from ippbx_billing.simulation.traffic import SimulatedSite, cdr_body, status_bodies
from tests.bodies import fill

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # so that the last month is October, as in the pages
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


def make(data_dir: Path, calls: int = 600) -> None:
    """Set up the demonstration's site in an empty directory, and rate its calls of October 2026."""
    site = SimulatedSite(1, area_code="022")

    def run(*arguments: str) -> None:
        result = CliRunner().invoke(app, ["--data-dir", str(data_dir), *arguments])
        assert result.exit_code == 0, result.output

    run("init", "--area-code", "022", "--dialect", "uc")
    for line in site.lines:
        run("trunks", "add", line.name, "--carrier", f"022-天津-{line.operator}")
    people = data_dir / "extensions.csv"
    rows = [f"{one.extension},{one.name},{one.department}\n" for one in site.people]
    people.write_text("number,name,department\n" + "".join(rows), "utf-8")
    run("extensions", "import", str(people))
    planned = list(site.calls(calls, FIRST, LAST))
    fill(data_dir / "inbox.db", map(cdr_body, planned), remote="127.0.0.1")
    fill(data_dir / "inbox.db", status_bodies(planned[-1]), "status", remote="127.0.0.1")
    run("events", "replay")
