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
