"""From the inboxes of sites to one centre: each call once, the same sums; the failure modes by their numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.centre.sites import Centre, at_centre, at_home, delivery, fill, records

pytest.importorskip("psycopg")


@pytest.fixture
def centre(dsn: str) -> Iterator[Centre]:
    made = Centre(dsn)
    yield made
    made.close()


def test_calls_and_sums_are_those_of_the_site(centre: Centre, site: Path) -> None:
    """Rated again from the bytes, by the site's book: calls, sums and rollups to the digit."""
    centre.add("hq", site)
    fill(site, [*records(40), delivery(b"rubbish"), *records(40)[:7]])
    last = centre.ship("hq", site)
    centre.rate()
    assert at_home(site) == at_centre(centre.dsn, "hq") == at_centre(centre.dsn, "hq", "rollups")
    assert sum(calls for calls, *_ in at_home(site).values()) == 40
    assert centre.asked("SELECT edge FROM epochs") == centre.asked("SELECT position FROM marks") == [(last,)]
    assert centre.asked("SELECT reason, tries FROM set_aside") == [("unknown-kind", 1)]
