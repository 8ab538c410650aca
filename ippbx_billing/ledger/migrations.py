"""The ledger's biography: every step from an empty file to today's tables.

Each step opens with why it exists. A step that has been released is never edited; a change is a new step.

    with closing(sqlite_utils.Database("ledger.db")) as database:
        ledger.apply(database)  # runs what is pending, each step in a transaction of its own
"""

from typing import TYPE_CHECKING

from ippbx_billing.sqlite.steps import Steps

if TYPE_CHECKING:
    from sqlite_utils import Database

ledger = Steps("ledger")


@ledger()
def m001_tariff_book(db: "Database") -> None:
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
def m002_calls(db: "Database") -> None:
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
def m003_journey(db: "Database") -> None:
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
def m004_rates_per_time(db: "Database") -> None:
    """A carrier's list may name a rate per minute and charge by the second: the fees are then for `per_s` seconds."""
    for table in ("prices", "windows"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN per_s INTEGER NOT NULL DEFAULT 0")


@ledger()
def m005_rules_of_the_site(db: "Database") -> None:
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
def m006_kinds_and_history(db: "Database") -> None:
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


@ledger()
def m007_rollups(db: "Database") -> None:
    """What makes a report as quick in the tenth million of calls as in the first; see `ledger.rollups`.

    The narrow table of charges learns what reports ask for most: the extension and the place as numbers, the length,
    and `local_hour`, the hours on the site's clock since the year 0. Calls of older versions tell their day alone:
    their hour follows from the offset that agrees with all these days, as near to this machine's clock as may be.
    The sums themselves are worked out by `Ledger` when it opens such a file.
    """
    sums = ", ".join(
        f"{name} INTEGER NOT NULL" for name in ("calls", "answered", "duration_s", "billed_s", "fee_micro")
    )
    for statement in (
        "CREATE TABLE rollup_extensions (id INTEGER PRIMARY KEY, extension TEXT UNIQUE)",
        "INSERT INTO rollup_extensions VALUES (0, NULL)",
        """
        CREATE TABLE rollup_places (
            id INTEGER PRIMARY KEY,
            country TEXT NOT NULL,
            region TEXT NOT NULL,
            place TEXT NOT NULL,
            UNIQUE (country, region, place)
        )
        """,
        """
        CREATE TABLE rollup_classes (
            id INTEGER PRIMARY KEY,
            trunk TEXT NOT NULL,
            direction TEXT NOT NULL,
            disposition TEXT NOT NULL,
            traffic_type TEXT NOT NULL,
            line_kind TEXT NOT NULL,
            carrier_id INTEGER NOT NULL,
            status TEXT NOT NULL,
            UNIQUE (trunk, direction, disposition, traffic_type, line_kind, carrier_id, status)
        )
        """,
        "CREATE TABLE rollup_spans (day INTEGER PRIMARY KEY, first_id INTEGER NOT NULL, last_id INTEGER NOT NULL)",
        *(
            f"CREATE TABLE rollup_{name} ({', '.join(keys)}, {sums}, "
            f"PRIMARY KEY ({', '.join(key.split()[0] for key in keys)})) WITHOUT ROWID"
            for name, keys in {
                "months": ("month INTEGER", "extension_id INTEGER", "class_id INTEGER"),
                "month_extensions": ("month INTEGER", "extension_id INTEGER", "status TEXT"),
                "month_places": ("month INTEGER", "place_id INTEGER", "class_id INTEGER"),
                "days": ("day INTEGER", "extension_id INTEGER", "status TEXT"),
                "hours": ("hour INTEGER", "class_id INTEGER"),
            }.items()
        ),
        *(
            f"ALTER TABLE charges ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0"
            for name in ("local_hour", "extension_id", "place_id", "duration_s")
        ),
        "CREATE INDEX charges_unrated ON charges (local_hour) WHERE status = 'unrated'",
        "INSERT INTO rollup_extensions (extension) SELECT DISTINCT extension FROM calls WHERE extension IS NOT NULL",
        "INSERT INTO rollup_places (country, region, place) "
        "SELECT DISTINCT ifnull(country, ''), ifnull(region, ''), ifnull(place, '') FROM calls",
    ):
        db.execute(statement)
    db.execute(
        """
        UPDATE charges SET (local_hour, extension_id, place_id, duration_s) = (
            SELECT (strftime('%s', c.day) / 86400 + 719163) * 24
                + max(0, min(23, (c.started_at + ? - strftime('%s', c.day)) / 3600)),
                e.id, p.id, ifnull(c.duration_s, 0)
            FROM calls c
            JOIN rollup_extensions e ON e.extension IS c.extension
            JOIN rollup_places p ON p.country = ifnull(c.country, '') AND p.region = ifnull(c.region, '')
                AND p.place = ifnull(c.place, '')
            WHERE c.id = charges.id
        ) WHERE id IN (SELECT id FROM calls)
        """,
        [_offset_of_days(db)],
    )


def _offset_of_days(db: "Database") -> int:
    """Seconds east of Greenwich by which each call's start falls on its local day, near to this machine's own."""
    least, most, here = db.execute(
        "SELECT max(strftime('%s', day) - started_at), min(strftime('%s', day) + 86399 - started_at), "
        "strftime('%s', 'now', 'localtime') - strftime('%s', 'now') FROM calls"
    ).fetchone()
    if least is None or least <= here <= most:
        return int(here)
    nearest = least if here < least else most
    whole_hour = round(nearest / 3600) * 3600
    return int(whole_hour if least <= whole_hour <= most else nearest)


@ledger()
def m008_directory(db: "Database") -> None:
    """People come and go and take their extensions along: who had which one on which day.

    A fact (`memberships`: who is in which department; `assignments`: whose an extension is) holds from its `first_day`
    until the next one's of the same employee or extension; '0001-01-01' is since ever. `in_use` 0 says that the
    employee has left, or that nobody is reached under the number any more. `holders` is worked out of both at each
    change of the directory, without overlaps, `end_day` not included: it is what calls are joined to by extension and
    day. A department that old facts name is never deleted but marked with `ended`.

    Each entry of the former table becomes a person of its own with the extension as number: of two entries with one
    name nobody can say whether they are one person, and a bill that shows a part is better than one that shows a
    stranger's calls.
    """
    for statement in (
        """
        CREATE TABLE departments (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            parent_id INTEGER REFERENCES departments (id),
            ended INTEGER NOT NULL DEFAULT 0
        )
        """,
        "CREATE UNIQUE INDEX departments_of_parent ON departments (ifnull(parent_id, 0), name)",
        "CREATE TABLE employees (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, name TEXT NOT NULL)",
        """
        CREATE TABLE memberships (
            employee_id INTEGER NOT NULL REFERENCES employees (id),
            first_day TEXT NOT NULL,
            department_id INTEGER REFERENCES departments (id),
            in_use INTEGER NOT NULL DEFAULT 1,
            PRIMARY KEY (employee_id, first_day)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE assignments (
            extension TEXT NOT NULL,
            first_day TEXT NOT NULL,
            employee_id INTEGER REFERENCES employees (id),
            department_id INTEGER REFERENCES departments (id),
            in_use INTEGER NOT NULL DEFAULT 1,
            PRIMARY KEY (extension, first_day)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE holders (
            extension TEXT NOT NULL,
            first_day TEXT NOT NULL,
            end_day TEXT NOT NULL,
            employee_id INTEGER,
            department_id INTEGER,
            PRIMARY KEY (extension, first_day)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX holders_by_employee ON holders (employee_id)",
    ):
        db.execute(statement)
    for number, name, department in db.execute(
        "SELECT number, trim(name), trim(department) FROM extensions"
    ).fetchall():
        _into_the_directory(db, number, name or None, department or "")
    db.execute("DROP TABLE extensions")


def _into_the_directory(db: "Database", extension: str, name: str | None, path: str) -> None:
    """An entry of the former table, valid since ever; `/` in a department's name was meant as a path."""
    ever, never = "0001-01-01", "9999-12-31"
    department = None
    for part in filter(None, map(str.strip, path.split("/"))):
        db.execute("INSERT OR IGNORE INTO departments (name, parent_id) VALUES (?, ?)", [part, department])
        (department,) = db.execute(
            "SELECT id FROM departments WHERE name = ? AND parent_id IS ?", [part, department]
        ).fetchone()
    employee = None
    if name is not None:
        employee = db.execute("INSERT INTO employees (number, name) VALUES (?, ?)", [extension, name]).lastrowid
        db.execute("INSERT INTO memberships VALUES (?, ?, ?, 1)", [employee, ever, department])
    own = None if employee else department  # a person's extension follows the person's department
    db.execute("INSERT INTO assignments VALUES (?, ?, ?, ?, 1)", [extension, ever, employee, own])
    if employee or department:
        db.execute("INSERT INTO holders VALUES (?, ?, ?, ?, ?)", [extension, ever, never, employee, department])


@ledger()
def m009_reasons(db: "Database") -> None:
    """A reason is a code with facts, so that everybody reads it in their own language and nobody takes it apart.

    `reason` holds the code, `reason_facts` the facts as JSON, `notes` a JSON list of both. `calendar` is the version of
    the national days off that a charge rests on, where its price asks what day it is.
    """
    from ippbx_billing.ledger.reasons import stored, stored_notes
    from ippbx_billing.ledger.sentences import recognised

    for table in ("charges", "charge_history", "outcomes"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN reason_facts TEXT NOT NULL DEFAULT ''")
    for table in ("charges", "charge_history"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN calendar TEXT")
    db.execute("CREATE TEMP TABLE was (text TEXT, status TEXT, code TEXT, facts TEXT, PRIMARY KEY (text, status))")
    others = {"filtered": "twin", "done": "no-call"}  # what a dialect says of a record, in its own words
    for table in ("charges", "charge_history", "outcomes"):
        rows = db.execute(f"SELECT DISTINCT reason, status FROM {table} WHERE reason != ''").fetchall()
        db.conn.executemany(
            "INSERT OR REPLACE INTO temp.was VALUES (?, ?, ?, ?)",
            [(text, status, *stored(recognised(text, others.get(status, "text")))) for text, status in rows],
        )
        db.execute(
            f"UPDATE {table} AS o SET (reason, reason_facts) = (SELECT code, facts FROM temp.was w "
            "WHERE w.text = o.reason AND w.status = o.status) WHERE reason != ''"
        )
    notes = [row[0] for row in db.execute("SELECT DISTINCT notes FROM calls WHERE notes != ''").fetchall()]
    db.conn.executemany(
        "INSERT OR REPLACE INTO temp.was VALUES (?, '', ?, '')",
        [(text, stored_notes(map(recognised, filter(None, text.split("\n"))))) for text in notes],
    )
    db.execute(
        "UPDATE calls AS c SET notes = (SELECT code FROM temp.was WHERE text = c.notes AND status = '') "
        "WHERE notes != ''"
    )
    db.execute("DROP TABLE temp.was")


@ledger()
def m010_doubts(db: "Database") -> None:
    """A doubt that forbids a fee stands beside the call, as code and facts (JSON), so that no rating forgets it.

    A kind of calls says so with a 2 under `twin`, which is 1 for the twin of another record.
    """
    db.execute("ALTER TABLE calls ADD COLUMN doubt TEXT")
    db.execute("CREATE INDEX calls_in_doubt ON calls (doubt) WHERE doubt IS NOT NULL")


@ledger()
def m011_records_and_rows(db: "Database") -> None:
    """One record is one call, two calls are two, and the rows of one call are billed once.

    An id that came again for another call stands in `reused_ids`; what changed a call after it was kept in
    `call_changes`, with its charge before, so that a bill that was handed out can be compared. `call_links` leads from
    the ids that rows of one call share to these rows, `call_rows` from a row to the one that is billed, with the facts
    of its record (JSON) that the joining changed; `call_answers` are moments at which calls were answered, as status
    events tell them, for records that do not. `late_calls` marks those that came long after they ended, or from a
    file: nobody need be alarmed by them any more.
    """
    for statement in (
        "CREATE TABLE call_answers (link INTEGER PRIMARY KEY, answered_at INTEGER NOT NULL, told_at INTEGER NOT NULL)",
        "CREATE TABLE late_calls (id INTEGER PRIMARY KEY, late_s INTEGER NOT NULL, imported INTEGER NOT NULL)",
        """
        CREATE TABLE reused_ids (
            key BLOB NOT NULL,
            started_at INTEGER NOT NULL,
            id INTEGER NOT NULL,
            day TEXT NOT NULL,
            PRIMARY KEY (key, started_at, id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX reused_by_call ON reused_ids (id)",
        """
        CREATE TABLE call_changes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            changed_at INTEGER NOT NULL,
            event_id INTEGER NOT NULL,
            earlier_event_id INTEGER NOT NULL,
            call_id INTEGER NOT NULL,
            cause TEXT NOT NULL,
            day TEXT NOT NULL,
            status TEXT NOT NULL,
            fee_micro INTEGER
        )
        """,
        "CREATE INDEX call_changes_by_day ON call_changes (day)",
        "CREATE INDEX call_changes_by_time ON call_changes (changed_at)",
        "CREATE TABLE call_links (link INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (link, id)) WITHOUT ROWID",
        "CREATE TABLE call_rows (id INTEGER PRIMARY KEY, billed_id INTEGER NOT NULL, own TEXT NOT NULL)",
        "CREATE INDEX call_rows_by_billed ON call_rows (billed_id)",
    ):
        db.execute(statement)


@ledger()
def m012_prices_that_end(db: "Database") -> None:
    """A price may end without another in its place, or say that the carrier does not connect such calls."""
    db.execute("ALTER TABLE prices ADD COLUMN status TEXT NOT NULL DEFAULT 'open'")


@ledger()
def m013_answers(db: "Database") -> None:
    """A call is priced by the moment it was answered: a charge knows how long it rang before that.

    Charges of earlier versions went by the start; they change when somebody rates their calls again.
    """
    db.execute("ALTER TABLE charges ADD COLUMN ring_s INTEGER NOT NULL DEFAULT 0")
    db.execute(
        "UPDATE charges SET ring_s = c.answered_at - c.started_at FROM calls c "
        "WHERE c.id = charges.id AND c.answered_at > c.started_at"
    )


@ledger()
def m014_terms(db: "Database") -> None:
    """Tariffs as carriers sell them: tiers, caps, grace, rounding, tax; and parts of a second that a PBX told.

    `terms` is JSON of what few prices and windows have, each term by its name in the spelling of `tariffs.spelling`.
    """
    for table in ("prices", "windows"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN terms TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE carriers ADD COLUMN rounding TEXT NOT NULL DEFAULT 'half_up'")
    db.execute("ALTER TABLE carriers ADD COLUMN part_second TEXT NOT NULL DEFAULT 'up'")
    db.execute("ALTER TABLE carriers ADD COLUMN tax_micro INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE calls ADD COLUMN billed_ms INTEGER")


@ledger()
def m015_alerts(db: "Database") -> None:
    """What alert rules found, and what is to be told of it, in the transaction of the calls that it rests on.

    Of each rule and object one incident is open at most. A message is what is to be told, a post the same on its way
    to one channel; `key` and the pair of both make that none is there twice. `alert_days` are closed days in a few
    numbers (JSON), by which the rules know what is usual.
    """
    for statement in (
        "CREATE TABLE alert_settings (rule TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, "
        "PRIMARY KEY (rule, name)) WITHOUT ROWID",
        """
        CREATE TABLE alert_exceptions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            rule TEXT NOT NULL,
            object TEXT NOT NULL,
            until TEXT,
            note TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE alert_incidents (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            rule TEXT NOT NULL,
            object TEXT NOT NULL,
            severity TEXT NOT NULL,
            reason TEXT NOT NULL,
            reason_facts TEXT NOT NULL,
            opened_at INTEGER NOT NULL,
            last_at INTEGER NOT NULL,
            closes_at INTEGER,
            closed_at INTEGER,
            acked_at INTEGER,
            acked_by TEXT,
            count INTEGER NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX alert_incidents_open ON alert_incidents (rule, object) WHERE closed_at IS NULL",
        "CREATE INDEX alert_incidents_by_object ON alert_incidents (rule, object)",
        """
        CREATE TABLE alert_messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL UNIQUE,
            incident_id INTEGER,
            kind TEXT NOT NULL,
            severity TEXT NOT NULL,
            facts TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            state TEXT NOT NULL
        )
        """,
        "CREATE INDEX alert_messages_new ON alert_messages (id) WHERE state = 'new'",
        """
        CREATE TABLE alert_posts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            message_id INTEGER NOT NULL,
            channel TEXT NOT NULL,
            state TEXT NOT NULL,
            due_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            tried_at INTEGER,
            sent_at INTEGER,
            error TEXT NOT NULL DEFAULT '',
            digest_id INTEGER,
            escalation INTEGER NOT NULL DEFAULT 0,
            UNIQUE (message_id, channel)
        )
        """,
        "CREATE INDEX alert_posts_waiting ON alert_posts (channel, due_at) WHERE state IN ('waiting', 'sending')",
        "CREATE TABLE alert_days (day TEXT PRIMARY KEY, told TEXT NOT NULL)",
    ):
        db.execute(statement)


@ledger()
def m016_plans(db: "Database") -> None:
    """What a month's bill adds to the fees of its calls: plans of carriers, mark-up and tax of departments.

    A department's plan or terms refer to it by id, so that they follow its name and keep it from being deleted.
    `steps` is a JSON list of [beyond_s, per_minute_micro, percent_off]; `traffic_types` has commas between them.
    """
    for statement in (
        """
        CREATE TABLE plans (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            carrier_id INTEGER REFERENCES carriers (id),
            scope TEXT NOT NULL,
            scope_value TEXT NOT NULL,
            department_id INTEGER REFERENCES departments (id),
            traffic_types TEXT NOT NULL,
            direction TEXT,
            amount_micro INTEGER NOT NULL,
            included_s INTEGER NOT NULL,
            unit_s INTEGER NOT NULL,
            steps TEXT NOT NULL,
            reach TEXT NOT NULL,
            part_month TEXT NOT NULL,
            decimals INTEGER,
            effective_from TEXT NOT NULL,
            effective_to TEXT,
            note TEXT NOT NULL,
            UNIQUE (name, effective_from)
        )
        """,
        """
        CREATE TABLE department_terms (
            department_id INTEGER REFERENCES departments (id),
            effective_from TEXT NOT NULL,
            markup_percent INTEGER,
            markup_per_call_micro INTEGER,
            tax_percent INTEGER
        )
        """,
        "CREATE UNIQUE INDEX department_terms_by_day ON department_terms (ifnull(department_id, 0), effective_from)",
    ):
        db.execute(statement)


@ledger()
def m017_limits(db: "Database") -> None:
    """How much somebody may spend or talk, what they have paid in advance, and who was barred because of it.

    `object` is an extension's number or a PIN, or the id of an employee or a department, so that no new name loses it.
    A balance is never stored: it is what was paid in less the fees since `first_day`. Of `barrings` the last one that
    was confirmed says what holds.
    """
    for statement in (
        """
        CREATE TABLE usage_limits (
            kind TEXT NOT NULL,
            object TEXT NOT NULL,
            fee_micro INTEGER,
            time_s INTEGER,
            per TEXT NOT NULL,
            warn TEXT NOT NULL,
            bars INTEGER NOT NULL,
            PRIMARY KEY (kind, object)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE accounts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            object TEXT NOT NULL,
            first_day TEXT NOT NULL,
            reserve_micro INTEGER NOT NULL,
            bars INTEGER NOT NULL,
            UNIQUE (kind, object)
        )
        """,
        """
        CREATE TABLE account_entries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account_id INTEGER NOT NULL REFERENCES accounts (id),
            at INTEGER NOT NULL,
            day TEXT NOT NULL,
            amount_micro INTEGER NOT NULL,
            note TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE barrings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            object TEXT NOT NULL,
            action TEXT NOT NULL,
            state TEXT NOT NULL,
            reason TEXT NOT NULL,
            reason_facts TEXT NOT NULL,
            wanted_by TEXT NOT NULL,
            asked_at INTEGER NOT NULL,
            done_at INTEGER,
            error TEXT NOT NULL DEFAULT ''
        )
        """,
        "CREATE INDEX barrings_by_object ON barrings (kind, object, id)",
    ):
        db.execute(statement)


@ledger()
def m018_how_numbers_begin(db: "Database") -> None:
    """A carrier's list by full numbers need not be asked about every call: a kind tells how its numbers begin.

    `code` is up to two digits of the country code, `abroad` whether 00 was dialled; see `tariffs.book.number_start`.
    Calls of a kind whose numbers begin in several ways are of several kinds from now on.
    """
    from ippbx_billing.tariffs.book import number_start

    def start(number: str | None, normalized: str | None, ip_prefix: str | None) -> str:
        code, abroad = number_start(number or "", normalized or "", ip_prefix or "")
        return f"{int(abroad)}{code}"

    db.conn.create_function("number_start", 3, start, deterministic=True)
    told = (
        "trunk", "direction", "disposition", "traffic_type", "line_kind", "country", "area_code", "ip_prefix",
        "emergency", "twin",
    )  # fmt: skip
    names = ", ".join(told)
    for statement in (
        "CREATE TEMP TABLE starts (kind_id INTEGER, start TEXT, id INTEGER, PRIMARY KEY (kind_id, start))",
        "INSERT INTO temp.starts (kind_id, start) SELECT g.kind_id, "
        "number_start(c.number, c.normalized, c.ip_prefix) AS start "
        "FROM charges g JOIN calls c USING (id) GROUP BY 1, 2",
        "INSERT INTO temp.starts (kind_id, start) SELECT id, '0' FROM kinds "
        "WHERE id NOT IN (SELECT kind_id FROM temp.starts)",
        "UPDATE temp.starts AS s SET id = kind_id "
        "WHERE start = (SELECT min(start) FROM temp.starts o WHERE o.kind_id = s.kind_id)",
        "UPDATE temp.starts SET id = rowid + (SELECT max(id) FROM kinds) WHERE id IS NULL",
        "ALTER TABLE kinds RENAME TO kinds_before",
        f"""
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
            code TEXT NOT NULL,
            abroad INTEGER NOT NULL,
            UNIQUE ({names}, code, abroad)
        )
        """,
        f"INSERT INTO kinds (id, {names}, code, abroad) "
        f"SELECT s.id, {names}, substr(s.start, 2), CAST(substr(s.start, 1, 1) AS INTEGER) "
        "FROM temp.starts s JOIN kinds_before k ON k.id = s.kind_id",
        "UPDATE charges SET kind_id = s.id FROM temp.starts s, calls c WHERE c.id = charges.id "
        "AND s.kind_id = charges.kind_id AND s.id <> s.kind_id "
        "AND charges.kind_id IN (SELECT kind_id FROM temp.starts WHERE id <> kind_id) "
        "AND s.start = number_start(c.number, c.normalized, c.ip_prefix)",
        "DROP TABLE kinds_before",
        "DROP TABLE temp.starts",
    ):
        db.execute(statement)


@ledger()
def m019_hours_of_extensions(db: "Database") -> None:
    """Whole months by extension and hour of the day are answered from sums as well; see `ledger.rollups`."""
    for statement in (
        """
        CREATE TABLE rollup_month_hours (
            month INTEGER,
            extension_id INTEGER,
            hour INTEGER,
            status TEXT,
            calls INTEGER NOT NULL,
            answered INTEGER NOT NULL,
            duration_s INTEGER NOT NULL,
            billed_s INTEGER NOT NULL,
            fee_micro INTEGER NOT NULL,
            PRIMARY KEY (month, extension_id, hour, status)
        ) WITHOUT ROWID
        """,
        "CREATE TEMP TABLE months_of_days AS SELECT day, strftime('%Y', day + 1721424.5) * 12 "
        "+ strftime('%m', day + 1721424.5) - 1 AS month FROM rollup_spans",
        "CREATE UNIQUE INDEX temp.months_by_day ON months_of_days (day)",
        "INSERT INTO rollup_month_hours "
        "SELECT m.month, g.extension_id, g.local_hour % 24, g.status, count(*), "
        "ifnull(sum(k.disposition = 'answered'), 0), sum(g.duration_s), sum(g.billed_s), sum(ifnull(g.fee_micro, 0)) "
        "FROM charges g JOIN temp.months_of_days m ON m.day = g.local_hour / 24 LEFT JOIN kinds k ON k.id = g.kind_id "
        "GROUP BY 1, 2, 3, 4",
        "DROP TABLE temp.months_of_days",
    ):
        db.execute(statement)


@ledger()
def m020_mailed_bills(db: "Database") -> None:
    """Bills and reports that are mailed period by period, each mail with its file, and who has which address.

    A mail is one recipient's: its row says before the first byte that it is on its way, and after the last what became
    of it. `edition` 0 is the first mail of a period, 1 and more are corrections. `told` are its title and sums.
    """
    for statement in (
        """
        CREATE TABLE mail_addresses (
            kind TEXT NOT NULL,
            object INTEGER NOT NULL,
            addresses TEXT NOT NULL,
            PRIMARY KEY (kind, object)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            what TEXT NOT NULL,
            whose TEXT NOT NULL,
            asked TEXT NOT NULL,
            form TEXT NOT NULL,
            every TEXT NOT NULL,
            on_day INTEGER NOT NULL,
            at TEXT NOT NULL,
            recipients TEXT NOT NULL,
            lang TEXT NOT NULL,
            note TEXT NOT NULL,
            first_day TEXT NOT NULL,
            state TEXT NOT NULL,
            token TEXT NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX deliveries_by_name ON deliveries (name) WHERE state <> 'removed'",
        """
        CREATE TABLE delivery_periods (
            delivery_id INTEGER NOT NULL REFERENCES deliveries (id),
            first_day TEXT NOT NULL,
            last_day TEXT NOT NULL,
            edition INTEGER NOT NULL,
            made_at INTEGER NOT NULL,
            last_event INTEGER NOT NULL,
            checked_at INTEGER NOT NULL,
            PRIMARY KEY (delivery_id, first_day, edition)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE delivery_mails (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            delivery_id INTEGER NOT NULL REFERENCES deliveries (id),
            first_day TEXT NOT NULL,
            last_day TEXT NOT NULL,
            edition INTEGER NOT NULL,
            whose TEXT NOT NULL,
            recipient TEXT NOT NULL,
            state TEXT NOT NULL,
            due_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            first_tried_at INTEGER,
            tried_at INTEGER,
            sent_at INTEGER,
            repeated INTEGER NOT NULL DEFAULT 0,
            error TEXT NOT NULL DEFAULT '',
            message_id TEXT NOT NULL,
            file TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            told TEXT NOT NULL,
            before TEXT NOT NULL,
            UNIQUE (delivery_id, first_day, edition, whose, recipient)
        )
        """,
        "CREATE INDEX delivery_mails_by_state ON delivery_mails (state, due_at)",
    ):
        db.execute(statement)


@ledger()
def m021_calls_by_pin(db: "Database") -> None:
    """The few calls made with a personal PIN are found without reading all others; those without one cost nothing."""
    db.execute("CREATE INDEX calls_by_pin ON calls (pin) WHERE pin IS NOT NULL")
