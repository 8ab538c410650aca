"""A PostgreSQL of our own for these tests: one server a run, one empty database a test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BINARIES = next((one.parent for one in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)), None)


def _as_user(command: list[str]) -> list[str]:
    """PostgreSQL does not run as root."""
    return ["runuser", "-u", "nobody", "--", *command] if os.geteuid() == 0 else command


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The DSN of a server without a database of ours."""
    if BINARIES is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with running_server() as dsn:
        yield dsn


@contextmanager
def running_server(fsync: bool = False) -> Iterator[str]:
    """A server that listens on a socket in a folder alone, and is gone afterwards; its DSN without a database."""
    assert BINARIES is not None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    data = str(folder / "data")
    run = {"check": True, "capture_output": True, "cwd": "/"}
    made = [str(BINARIES / "initdb"), "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
    subprocess.run(_as_user(made), **run)  # type: ignore[call-overload]
    synced = "on" if fsync else "off"
    options = f"-k {folder} -c listen_addresses= -c fsync={synced} -c max_connections=60 -c shared_buffers=32MB"
    start = [str(BINARIES / "pg_ctl"), "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start"]
    subprocess.run(_as_user(start), check=True, stdout=subprocess.DEVNULL, cwd="/")
    try:
        yield f"host={folder} user=owner"
    finally:
        subprocess.run(_as_user([str(BINARIES / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop"]), **run)  # type: ignore[call-overload]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty(server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The DSN of an empty database, dropped at the end."""
    import psycopg

    name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**9}"
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    yield f"{server} dbname={name}"
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


@pytest.fixture
def dsn(empty: str) -> str:
    """The DSN of a centre that was set up."""
    from ippbx_billing.centre.opening import connected
    from ippbx_billing.centre.schema import install

    with connected(empty) as connection:
        install(connection)
    return empty
