"""The sites that may send: whose they are, their keys, and how far each is.

sites = SiteTable(connection)
key = sites.add("hq", "acme", book)      # to be brought to the site; the centre keeps it beside
sites.revoke("hq")                       # nothing more is taken from it; what came stays
"""

import re
from dataclasses import dataclass
from datetime import datetime

from ippbx_billing.centre.books import Book
from ippbx_billing.centre.opening import Connection, Row
from ippbx_billing.errors import NotFoundError, UsageError
from ippbx_billing.language import tr
from ippbx_billing.ship import keys

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class KnownSite:
    """One site as the collector needs it."""

    name: str
    tenant: str
    key: bytes
    pinned_epoch: str | None
    revoked_at: datetime | None


class SiteTable:
    """The tables `sites` and `site_keys`; each change is a transaction of its own."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, name: str, tenant: str, book: Book, key: bytes | None = None) -> bytes:
        """A new site; gives its key. UsageError for a name that is taken or cannot be one."""
        if not NAME.fullmatch(name):
            raise UsageError(
                tr("{name!r} cannot be a site's name", name=name), tr("small letters, digits, `.`, `_` and `-`")
            )
        key = key or keys.fresh()
        with self.connection.transaction():
            taken = self.connection.execute(
                "INSERT INTO sites (site, tenant, zone, currency, book) VALUES (%s, %s, %s, %s, %s) "
                "ON CONFLICT DO NOTHING",
                [name, tenant, book.zone, book.currency, book.hash],
            )
            if not taken.rowcount:
                raise UsageError(
                    tr("there is a site {name} already", name=name), tr("see `ippbx-bill centre sites list`")
                )
            self.connection.execute("INSERT INTO site_keys VALUES (%s, %s)", [name, key])
            self._keep(name, book)
        return key

    def put_book(self, name: str, book: Book) -> None:
        """Rate by this book what is rated from now on; the earlier ones stay, as charges name them."""
        with self.connection.transaction():
            self.named(name)
            self._keep(name, book)
            self.connection.execute(
                "UPDATE sites SET book = %s, zone = %s, currency = %s WHERE site = %s",
                [book.hash, book.zone, book.currency, name],
            )

    def _keep(self, name: str, book: Book) -> None:
        self.connection.execute(
            "INSERT INTO books (site, hash, content) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [name, book.hash, book.content],
        )

    def revoke(self, name: str) -> None:
        """Take nothing more from it."""
        self.named(name)
        self.connection.execute("UPDATE sites SET revoked_at = coalesce(revoked_at, now()) WHERE site = %s", [name])

    def pin(self, name: str, epoch: str | None) -> None:
        """Take nothing of another epoch than this one; None takes any, as after a restore at the site."""
        self.named(name)
        self.connection.execute("UPDATE sites SET pinned_epoch = %s WHERE site = %s", [epoch, name])

    def pin_present(self, name: str) -> None:
        """Take nothing of another epoch than that which came last; NotFoundError where none came yet."""
        self.named(name)
        row = self.connection.execute(
            "SELECT epoch FROM epochs WHERE site = %s ORDER BY ordinal DESC LIMIT 1", [name]
        ).fetchone()
        if row is None:
            raise NotFoundError(tr("nothing has come from {name} yet", name=name), tr("pin it after its first batch"))
        self.pin(name, row["epoch"])

    def named(self, name: str) -> KnownSite:
        """The site; NotFoundError where there is none."""
        found = self.find(name)
        if found is None:
            raise NotFoundError(tr("there is no site {name}", name=name), tr("see `ippbx-bill centre sites list`"))
        return found

    def find(self, name: str) -> KnownSite | None:
        """The site, or None."""
        row = self.connection.execute(
            "SELECT site, tenant, key, pinned_epoch, revoked_at FROM sites JOIN site_keys USING (site) WHERE site = %s",
            [name],
        ).fetchone()
        if row is None:
            return None
        return KnownSite(row["site"], row["tenant"], bytes(row["key"]), row["pinned_epoch"], row["revoked_at"])

    def standing(self, site: str | None = None) -> list[Row]:
        """Each site, or one, with how far it is: epochs, what came, what is not rated yet, gaps, the last batch."""
        return self.connection.execute(
            """
            SELECT s.site, s.tenant, s.zone, s.currency, s.book, s.added_at, s.revoked_at, s.pinned_epoch,
                count(e.epoch) AS epochs,
                (array_agg(e.epoch ORDER BY e.ordinal DESC))[1] AS epoch,
                (array_agg(e.edge ORDER BY e.ordinal DESC))[1] AS position,
                coalesce(sum(e.edge - m.position), 0)::bigint AS waiting,
                max(e.last_at) AS last_at,
                (array_agg(e.clock_ahead_s ORDER BY e.ordinal DESC))[1] AS clock_ahead_s,
                (SELECT coalesce(sum(last - first + 1), 0)::bigint FROM gaps g
                    WHERE g.site = s.site AND accepted_at IS NULL) AS missing,
                (SELECT count(*) FROM set_aside a WHERE a.site = s.site) AS set_aside,
                (SELECT count(*) FROM incidents i WHERE i.site = s.site) AS incidents
            FROM sites s LEFT JOIN epochs e USING (site) LEFT JOIN marks m USING (site, epoch)
            WHERE %(site)s::text IS NULL OR s.site = %(site)s
            GROUP BY s.site ORDER BY s.site
            """,
            {"site": site},
        ).fetchall()
