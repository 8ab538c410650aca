"""The schema's biography: every step from an empty file to today's tables, for both files.

Two sets of numbered functions, `inbox` for `inbox.db` and `ledger` for `ledger.db`, each opening with
why it exists. A step that has been released is never edited; a change is a new step.

    with closing(sqlite_utils.Database("inbox.db")) as database:
        inbox.apply(database)  # runs what is pending, each step in a transaction of its own
"""

from sqlite_utils import Database, Migrations

inbox = Migrations("inbox")


@inbox()
def m001_events(db: Database) -> None:
    """One row per delivery, byte for byte, before anybody understands it.

    AUTOINCREMENT, because the pipeline remembers the last id it has read: an id must never come again,
    not even after the newest rows were pruned. No index: arrival order is the id's order, and every index would
    make the PBX wait. `received_at` is in microseconds of UTC; `headers` is the block `Name: value` CRLF …;
    `path` and `query` are the bytes of the request line read as Latin-1, which loses none.
    """
    db.execute(
        """
        CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            received_at INTEGER NOT NULL,
            kind TEXT NOT NULL,
            remote TEXT NOT NULL,
            method TEXT NOT NULL,
            path TEXT NOT NULL,
            query TEXT NOT NULL,
            headers BLOB NOT NULL,
            body BLOB NOT NULL
        )
        """
    )


ledger = Migrations("ledger")


@ledger()
def m001_tariff_book(db: Database) -> None:
    """Who charges what: the tables that people edit. Amounts are micro-units, see `money`.

    A carrier or a price is never deleted once calls were rated with it: it is marked with `ended`, so that an old
    charge can always say what it rests on.
    """
    for statement in (
        """
        CREATE TABLE carriers (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            area_code TEXT NOT NULL,
            place TEXT NOT NULL,
            operator TEXT NOT NULL,
            is_default INTEGER NOT NULL DEFAULT 0,
            decimals INTEGER NOT NULL DEFAULT 2,
            crossing TEXT NOT NULL DEFAULT 'start',
            ended INTEGER NOT NULL DEFAULT 0
        )
        """,
        """
        CREATE TABLE trunks (
            name TEXT PRIMARY KEY,
            number TEXT,
            outside_prefix TEXT,
            carrier_id INTEGER NOT NULL REFERENCES carriers (id)
        )
        """,
        """
        CREATE TABLE prices (
            id INTEGER PRIMARY KEY,
            carrier_id INTEGER NOT NULL REFERENCES carriers (id),
            traffic_type TEXT NOT NULL,
            direction TEXT NOT NULL,
            line_kind TEXT,
            match TEXT NOT NULL,
            value TEXT NOT NULL,
            initial_s INTEGER NOT NULL,
            initial_fee_micro INTEGER NOT NULL,
            step_s INTEGER NOT NULL,
            step_fee_micro INTEGER NOT NULL,
            connection_fee_micro INTEGER NOT NULL,
            free_s INTEGER NOT NULL,
            minimum_fee_micro INTEGER NOT NULL,
            add_local INTEGER NOT NULL,
            effective_from TEXT NOT NULL,
            note TEXT NOT NULL,
            ended INTEGER NOT NULL DEFAULT 0
        )
        """,
        """
        CREATE TABLE windows (
            price_id INTEGER NOT NULL REFERENCES prices (id),
            kind TEXT NOT NULL,
            start_s INTEGER NOT NULL,
            end_s INTEGER NOT NULL,
            initial_s INTEGER NOT NULL,
            initial_fee_micro INTEGER NOT NULL,
            step_s INTEGER NOT NULL,
            step_fee_micro INTEGER NOT NULL,
            priority INTEGER,
            name TEXT NOT NULL
        )
        """,
        "CREATE INDEX windows_of_price ON windows (price_id)",
        """
        CREATE TABLE overrides (
            prefix TEXT PRIMARY KEY,
            traffic_type TEXT,
            line_kind TEXT,
            country TEXT,
            region TEXT,
            place TEXT
        )
        """,
        "CREATE TABLE extensions (number TEXT PRIMARY KEY, name TEXT, department TEXT)",
    ):
        db.execute(statement)


@ledger()
def m002_calls(db: Database) -> None:
    """What the events mean and what it costs: wide facts apart from narrow charges.

    Charges change when a tariff does, the facts of a call never; re-rating touches only the narrow table. A charge
    has the id of its call. Times are whole seconds of UTC; `day` is the site's local day, which reports and tariffs
    go by. `key` is the digest that makes a second delivery of one record known. The classification stays with the
    call, together with the version of the data behind it, so that a newer numbering plan never changes an old bill.
    Few indexes: each costs a third of the speed.
    """
    for statement in (
        """
        CREATE TABLE calls (
            id INTEGER PRIMARY KEY,
            event_id INTEGER NOT NULL,
            key BLOB NOT NULL UNIQUE,
            pbx TEXT NOT NULL,
            dialect TEXT NOT NULL,
            call_id TEXT,
            record_id TEXT,
            group_id TEXT,
            caller TEXT,
            callee TEXT,
            extension TEXT,
            number TEXT,
            started_at INTEGER NOT NULL,
            answered_at INTEGER,
            ended_at INTEGER,
            day TEXT NOT NULL,
            duration_s INTEGER,
            billed_s INTEGER NOT NULL,
            disposition TEXT NOT NULL,
            trunk TEXT,
            direction TEXT,
            did TEXT,
            pin TEXT,
            recording TEXT,
            twin TEXT,
            notes TEXT NOT NULL,
            normalized TEXT,
            traffic_type TEXT,
            line_kind TEXT,
            country TEXT,
            region TEXT,
            place TEXT,
            operator TEXT,
            area_code TEXT,
            ip_prefix TEXT,
            emergency INTEGER NOT NULL,
            rule TEXT NOT NULL,
            why TEXT NOT NULL,
            data_version TEXT NOT NULL
        )
        """,
        "CREATE INDEX calls_by_event ON calls (event_id)",
        "CREATE INDEX calls_by_day ON calls (day, extension)",
        """
        CREATE TABLE charges (
            id INTEGER PRIMARY KEY,
            status TEXT NOT NULL,
            fee_micro INTEGER,
            carrier_id INTEGER,
            price_id INTEGER,
            window TEXT,
            reason TEXT NOT NULL
        )
        """,
    ):
        db.execute(statement)


@ledger()
def m003_journey(db: Database) -> None:
    """How far the inbox was read, what became of events that are not plainly done, and the calls in progress.

    `state` holds the inbox position in the same file as the calls, so that both move in one transaction. An event up to
    the position that has no row in `outcomes` is done.
    """
    for statement in (
        "CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE outcomes (event_id INTEGER PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL)",
        """
        CREATE TABLE live_calls (
            pbx TEXT NOT NULL,
            call_id TEXT NOT NULL,
            phase TEXT NOT NULL,
            state TEXT NOT NULL,
            caller TEXT,
            callee TEXT,
            extension TEXT,
            number TEXT,
            trunk TEXT,
            direction TEXT,
            first_event_at INTEGER NOT NULL,
            last_event_at INTEGER NOT NULL,
            answered_at INTEGER,
            event_id INTEGER NOT NULL,
            PRIMARY KEY (pbx, call_id)
        )
        """,
    ):
        db.execute(statement)


@ledger()
def m004_rates_per_time(db: Database) -> None:
    """A carrier's list may name a rate per minute and charge by the second: the fees are then for `per_s` seconds."""
    for table in ("prices", "windows"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN per_s INTEGER NOT NULL DEFAULT 0")


@ledger()
def m005_rules_of_the_site(db: Database) -> None:
    """What a site knows better than our data: its days off, digits only dialled, calls that are nobody's bill.

    `day_kind` is work, rest or holiday. A clean-up is 去电号码过滤, a call filter 话单过滤; of a filter's conditions
    those that are not NULL must all hold.
    """
    for statement in (
        "CREATE TABLE holiday_overrides (day TEXT PRIMARY KEY, day_kind TEXT NOT NULL, note TEXT NOT NULL)",
        """
        CREATE TABLE cleanups (
            prefix TEXT PRIMARY KEY,
            match_length INTEGER NOT NULL,
            delete_digits INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE call_filters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            direction TEXT,
            extension TEXT,
            number TEXT,
            trunk TEXT,
            note TEXT NOT NULL
        )
        """,
    ):
        db.execute(statement)


@ledger()
def m006_kinds_and_history(db: Database) -> None:
    """What makes rating a million calls again quick, and what keeps their earlier charges.

    A kind is all that a tariff looks at in a call but its length, its time and its very digits; a site has some
    hundreds. With kind, start and length beside the fee, a new tariff is worked out once for each kind and length, and
    the wide table of calls need not be read; empty text in a kind is what nobody told. A run of `rerate` that changes a
    charge first copies it into the history, in the same transaction; `meaning` is the earlier classification (JSON)
    where that changed as well.
    """
    for statement in (
        """
        CREATE TABLE kinds (
            id INTEGER PRIMARY KEY,
            trunk TEXT NOT NULL,
            direction TEXT NOT NULL,
            disposition TEXT NOT NULL,
            traffic_type TEXT NOT NULL,
            line_kind TEXT NOT NULL,
            country TEXT NOT NULL,
            area_code TEXT NOT NULL,
            ip_prefix TEXT NOT NULL,
            emergency INTEGER NOT NULL,
            twin INTEGER NOT NULL,
            UNIQUE (
                traffic_type, area_code, country, line_kind, trunk, direction, disposition, ip_prefix, emergency, twin
            )
        )
        """,
        "ALTER TABLE charges ADD COLUMN kind_id INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE charges ADD COLUMN started_at INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE charges ADD COLUMN billed_s INTEGER NOT NULL DEFAULT 0",
        """
        INSERT INTO kinds (
            trunk, direction, disposition, traffic_type, line_kind, country, area_code, ip_prefix, emergency, twin
        )
        SELECT DISTINCT
            ifnull(trunk, ''), ifnull(direction, ''), disposition, ifnull(traffic_type, ''), ifnull(line_kind, ''),
            ifnull(country, ''), ifnull(area_code, ''), ifnull(ip_prefix, ''), emergency, twin IS NOT NULL
        FROM calls
        """,
        """
        UPDATE charges SET (kind_id, started_at, billed_s) = (
            SELECT k.id, c.started_at, c.billed_s FROM calls c JOIN kinds k ON
                k.traffic_type = ifnull(c.traffic_type, '') AND k.area_code = ifnull(c.area_code, '')
                AND k.country = ifnull(c.country, '') AND k.line_kind = ifnull(c.line_kind, '')
                AND k.trunk = ifnull(c.trunk, '') AND k.direction = ifnull(c.direction, '')
                AND k.disposition = c.disposition AND k.ip_prefix = ifnull(c.ip_prefix, '')
                AND k.emergency = c.emergency AND k.twin = (c.twin IS NOT NULL)
            WHERE c.id = charges.id
        ) WHERE id IN (SELECT id FROM calls)
        """,
        """
        CREATE TABLE rerate_runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            started_at INTEGER NOT NULL,
            ended_at INTEGER,
            first_day TEXT NOT NULL,
            last_day TEXT NOT NULL,
            conditions TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE charge_history (
            run_id INTEGER NOT NULL,
            call_id INTEGER NOT NULL,
            status TEXT NOT NULL,
            fee_micro INTEGER,
            carrier_id INTEGER,
            price_id INTEGER,
            window TEXT,
            reason TEXT NOT NULL,
            meaning TEXT,
            PRIMARY KEY (run_id, call_id)
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)
