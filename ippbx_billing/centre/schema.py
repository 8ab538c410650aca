"""The centre's tables in PostgreSQL, step by step. Every key begins with the site: they can be distributed by it.

    install(connection)   # whatever is missing, each step in a transaction of its own

An event's number at the centre is made of the ordinal of its epoch and its position: see `EVENTS_AN_EPOCH`. Amounts are
bigint micro-units. A tenant's reader sees the rows of the tenant's sites alone, see `READER`.
"""

from typing import LiteralString

from ippbx_billing.errors import BillingError, DataError
from ippbx_billing.language import tr

try:
    import psycopg
except ImportError as error:  # the extra is not installed
    raise BillingError(
        tr("the centre needs psycopg, which is not installed"), tr("`pip install 'ippbx-bill[centre]'` installs it")
    ) from error

READER: LiteralString = "ippbx_bill_reader"  # the role under which a tenant's questions are asked
EVENTS_AN_EPOCH = 1 << 40
_LOCK = 0x1BB8_B111  # of the steps themselves: two `centre init` at once wait for each other

# What the reader may see, of its own sites alone.
SEEN: tuple[LiteralString, ...] = ("epochs", "gaps", "calls", "rollups", "set_aside", "incidents", "call_changes")

_FIRST: tuple[LiteralString, ...] = (
    """
    CREATE TABLE sites (
        site text PRIMARY KEY,
        tenant text NOT NULL,
        zone text NOT NULL,
        currency text NOT NULL,
        book text NOT NULL,
        pinned_epoch text,
        added_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz
    )
    """,
    # Apart from `sites`, so that nobody who may look at sites can read a key.
    "CREATE TABLE site_keys (site text PRIMARY KEY REFERENCES sites, key bytea NOT NULL)",
    """
    CREATE TABLE books (
        site text NOT NULL REFERENCES sites,
        hash text NOT NULL,
        added_at timestamptz NOT NULL DEFAULT now(),
        content bytea NOT NULL,
        PRIMARY KEY (site, hash)
    )
    """,
    # `edge` is the last position up to which all has come, `rated` that up to which all was read.
    """
    CREATE TABLE epochs (
        site text NOT NULL REFERENCES sites,
        epoch text NOT NULL,
        ordinal integer NOT NULL,
        edge bigint NOT NULL DEFAULT 0,
        first_at timestamptz NOT NULL DEFAULT now(),
        last_at timestamptz NOT NULL DEFAULT now(),
        clock_ahead_s integer NOT NULL DEFAULT 0,
        PRIMARY KEY (site, epoch),
        UNIQUE (site, ordinal)
    )
    """,
    # Apart from `epochs`, so that a rater that holds a site does not keep its batches from being taken.
    """
    CREATE TABLE marks (
        site text NOT NULL,
        epoch text NOT NULL,
        ordinal integer NOT NULL,
        position bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (site, epoch)
    )
    """,
    # In the order of arrival the rows lie together; `bytes` is the event as `ship.batches` frames it.
    """
    CREATE TABLE raw (
        site text NOT NULL,
        epoch text NOT NULL,
        position bigint NOT NULL,
        bytes bytea NOT NULL,
        sha256 bytea NOT NULL,
        received timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (site, epoch, position)
    )
    """,
    # Positions that the site's inbox did not hold any more when they were shipped.
    """
    CREATE TABLE gaps (
        site text NOT NULL,
        epoch text NOT NULL,
        first bigint NOT NULL,
        last bigint NOT NULL,
        noticed_at timestamptz NOT NULL DEFAULT now(),
        accepted_at timestamptz,
        PRIMARY KEY (site, epoch, first)
    )
    """,
    """
    CREATE TABLE incidents (
        site text NOT NULL,
        id bigint GENERATED ALWAYS AS IDENTITY,
        at timestamptz NOT NULL DEFAULT now(),
        kind text NOT NULL,
        epoch text NOT NULL,
        position bigint NOT NULL,
        facts jsonb NOT NULL,
        PRIMARY KEY (site, id)
    )
    """,
    # An attempt is noted before it begins: a record that kills its rater is found like one that raises.
    """
    CREATE TABLE attempts (
        site text NOT NULL,
        epoch text NOT NULL,
        position bigint NOT NULL,
        rows integer NOT NULL,
        tries integer NOT NULL,
        reason text NOT NULL DEFAULT '',
        PRIMARY KEY (site, epoch, position)
    )
    """,
    # What was kept but not understood, or could not be rated: a code and its facts, as in a ledger.
    """
    CREATE TABLE set_aside (
        site text NOT NULL,
        event_id bigint NOT NULL,
        epoch text NOT NULL,
        position bigint NOT NULL,
        reason text NOT NULL,
        reason_facts text NOT NULL,
        tries integer NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (site, event_id)
    )
    """,
    "CREATE SEQUENCE call_ids",
    """
    CREATE TABLE calls (
        site text NOT NULL,
        id bigint NOT NULL,
        event_id bigint NOT NULL,
        key bytea NOT NULL,
        day date NOT NULL,
        hour smallint NOT NULL,
        notes text NOT NULL,
        data_version text NOT NULL,
        pbx text NOT NULL,
        dialect text NOT NULL,
        call_id text,
        record_id text,
        group_id text,
        caller text,
        callee text,
        extension text,
        number text,
        started_at bigint NOT NULL,
        answered_at bigint,
        ended_at bigint,
        duration_s bigint,
        billed_s bigint NOT NULL,
        disposition text NOT NULL,
        trunk text,
        direction text,
        did text,
        pin text,
        recording text,
        twin text,
        doubt text,
        billed_ms bigint,
        normalized text,
        traffic_type text NOT NULL,
        line_kind text NOT NULL,
        country text,
        region text,
        place text,
        operator text,
        area_code text,
        ip_prefix text,
        emergency smallint NOT NULL,
        rule text NOT NULL,
        why text NOT NULL,
        status text NOT NULL,
        fee_micro bigint,
        carrier text,
        price_id bigint,
        window_name text,
        reason text NOT NULL,
        reason_facts text NOT NULL,
        calendar text,
        department text NOT NULL,
        book text NOT NULL,
        version integer NOT NULL DEFAULT 1,
        PRIMARY KEY (site, id),
        UNIQUE (site, key)
    )
    """,
    "CREATE INDEX calls_by_day ON calls (site, day)",
    "CREATE INDEX calls_by_event ON calls (site, event_id)",
    # Texts are never null in a key: an empty one stands for what nobody told.
    """
    CREATE TABLE rollups (
        site text NOT NULL,
        day date NOT NULL,
        department text NOT NULL,
        traffic_type text NOT NULL,
        direction text NOT NULL,
        status text NOT NULL,
        calls bigint NOT NULL,
        answered bigint NOT NULL,
        duration_s bigint NOT NULL,
        billed_s bigint NOT NULL,
        fee_micro bigint NOT NULL,
        PRIMARY KEY (site, day, department, traffic_type, direction, status)
    )
    """,
    "CREATE TABLE call_links (site text, link bigint, id bigint, PRIMARY KEY (site, link, id))",
    """
    CREATE TABLE call_rows (
        site text, id bigint, billed_id bigint NOT NULL, own text NOT NULL, PRIMARY KEY (site, id)
    )
    """,
    "CREATE INDEX call_rows_by_billed ON call_rows (site, billed_id)",
    """
    CREATE TABLE call_answers (
        site text, link bigint, answered_at bigint NOT NULL, told_at bigint NOT NULL, PRIMARY KEY (site, link)
    )
    """,
    """
    CREATE TABLE reused_ids (
        site text, key bytea, started_at bigint, id bigint, day date NOT NULL, PRIMARY KEY (site, key, started_at, id)
    )
    """,
    "CREATE INDEX reused_ids_by_call ON reused_ids (site, id)",
    """
    CREATE TABLE late_calls (
        site text, id bigint, late_s bigint NOT NULL, imported boolean NOT NULL, PRIMARY KEY (site, id)
    )
    """,
    """
    CREATE TABLE call_changes (
        site text NOT NULL,
        id bigint GENERATED ALWAYS AS IDENTITY,
        changed_at bigint NOT NULL,
        event_id bigint NOT NULL,
        earlier_event_id bigint NOT NULL,
        call_id bigint NOT NULL,
        cause text NOT NULL,
        day date NOT NULL,
        status text NOT NULL,
        fee_micro bigint,
        PRIMARY KEY (site, id)
    )
    """,
)


# `files` are the pieces in force, as `history` names them; `digest` is that of the calls when last compared.
_CLOSED: tuple[LiteralString, ...] = (
    """
    CREATE TABLE closed_months (
        site text NOT NULL REFERENCES sites,
        month text NOT NULL,
        files jsonb NOT NULL,
        calls bigint NOT NULL,
        fee_micro bigint NOT NULL,
        digest numeric NOT NULL,
        closed_at timestamptz NOT NULL,
        PRIMARY KEY (site, month)
    )
    """,
    # What became of a call after its month was closed, told in the month that was closed next.
    """
    CREATE TABLE adjustments (
        site text NOT NULL,
        call_id bigint NOT NULL,
        month text NOT NULL,
        told_in text NOT NULL,
        calls integer NOT NULL,
        fee_micro bigint NOT NULL,
        PRIMARY KEY (site, call_id, told_in)
    )
    """,
)


def _by_tenant() -> tuple[LiteralString, ...]:
    """The reader's rights: to look, at the rows of the tenant's own sites."""
    role: LiteralString = (
        "DO $$ BEGIN CREATE ROLE " + READER + " NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation "
        "THEN NULL; END $$"
    )
    steps: list[LiteralString] = [role, "ALTER TABLE sites ENABLE ROW LEVEL SECURITY"]
    own: LiteralString = "tenant = current_setting('ippbx_bill.tenant', true)"
    steps.append("CREATE POLICY by_tenant ON sites FOR SELECT TO " + READER + " USING (" + own + ")")
    for table in SEEN:
        steps.append("ALTER TABLE " + table + " ENABLE ROW LEVEL SECURITY")
        steps.append(
            "CREATE POLICY by_tenant ON " + table + " FOR SELECT TO " + READER + " USING (site IN "
            "(SELECT s.site FROM sites s WHERE s." + own + "))"
        )
    steps.append("GRANT SELECT ON sites, " + ", ".join(SEEN) + " TO " + READER)
    steps.append("DO $$ BEGIN EXECUTE format('GRANT " + READER + " TO %I', current_user); END $$")
    return tuple(steps)


# Never edited once released; a change is a new step at the end.
STEPS: tuple[tuple[LiteralString, ...], ...] = (_FIRST, _by_tenant(), _CLOSED)


def install(connection: "psycopg.Connection[dict[str, object]]") -> int:
    """Bring the tables up to date; gives how many steps were missing. The connection commits by itself."""
    connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS centre_steps (step integer PRIMARY KEY, done_at timestamptz)")
        done = version(connection)
        for number, step in enumerate(STEPS[done:], start=done + 1):
            with connection.transaction():
                for statement in step:
                    connection.execute(statement)
                connection.execute("INSERT INTO centre_steps VALUES (%s, now())", [number])
        return len(STEPS) - done
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def version(connection: "psycopg.Connection[dict[str, object]]") -> int:
    """How many steps were done; 0 where the centre was never set up. DataError where a newer release did more."""
    known = connection.execute("SELECT to_regclass('centre_steps') IS NOT NULL AS there").fetchone()
    if known is None or not known["there"]:
        return 0
    row = connection.execute("SELECT coalesce(max(step), 0) AS step FROM centre_steps").fetchone()
    done = int(str(row["step"])) if row else 0
    if done > len(STEPS):
        raise DataError(tr("the centre was set up by a newer ippbx-bill"), tr("update ippbx-bill on this machine"))
    return done
