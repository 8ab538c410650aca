"""The console beside the listener: it dies alone, comes back, streams new calls, and ends with the listener."""

import json
import os
import signal
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ippbx_billing.operators import Role
from ippbx_billing.simulation.practice_pbx.identity import certificate
from tests.bodies import gateway_cdr
from tests.console.visitor import PASSWORD, operator
from tests.service_process import PATIENCE_S, Service

pytestmark = pytest.mark.skipif(os.name != "posix", reason="ends processes by POSIX signals")


def process_at(port: int) -> int:
    """The process that listens at this port of ours."""
    inode = next(
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    )
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if any(os.readlink(one) == f"socket:[{inode}]" for one in (folder / "fd").iterdir()):
                    return int(folder.name)
            except OSError:
                continue
    raise ProcessLookupError(port)


@contextmanager
def signed_in(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, headers={"origin": base}, timeout=PATIENCE_S, trust_env=False) as client:
        answer = client.post("/sign-in", data={"name": "victor", "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


def test_a_new_call_reaches_the_page_and_a_dead_page_no_call(site: Path) -> None:
    """A stream brings the posted call; the console is killed, records are taken meanwhile, and it comes back."""
    operator(site, "victor", Role.VIEWER)
    with Service(site, "--console", IPPBX_BILL_CONSOLE_PORT="0") as service:
        base = service.console_address()
        with signed_in(base) as client, client.stream("GET", "/live?after=0") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            service.post(gateway_cdr("8001", "902162345678", 80))
            came = []
            for line in lines:
                came.append(line)
                if line == "" and any("902162345678" in one for one in came):
                    break
            assert "event: calls" in came
            assert "id: 1" in came
            os.kill(process_at(int(base.rpartition(":")[2])), signal.SIGKILL)
            with pytest.raises(httpx.HTTPError):
                for _ in lines:
                    pass
        assert service.post(gateway_cdr("8001", "902162345679", 80)).status_code == 200
        assert json.loads(httpx.get(f"{service.cdr_url}healthz", trust_env=False).text)["status"] == "ok"
        again = service.console_address()
        with signed_in(again) as client, client.stream("GET", "/live", headers={"last-event-id": "1"}) as stream:
            came, lines = [], stream.iter_lines()
            for line in lines:
                came.append(line)
                if "902162345679" in line:
                    break
            assert "id: 2" in came
            assert not any("902162345678" in one for one in came)
            service.end()  # while a page is open: the stream ends, and so does the process
            assert "event: bye" in list(lines)
        with pytest.raises(httpx.ConnectError):
            httpx.get(again, trust_env=False)


def test_the_console_speaks_tls(site: Path) -> None:
    """With a certificate the pages come over HTTPS, the cookie goes over nothing else, and plain HTTP has no answer."""
    operator(site, "victor", Role.VIEWER)
    with certificate("localhost") as (pem, key):
        files = {"IPPBX_BILL_TLS_CERTIFICATE": str(pem), "IPPBX_BILL_TLS_KEY": str(key)}
        service = Service(site, "--console", IPPBX_BILL_CONSOLE_PORT="0", **files)
        try:
            base = service.console_address()
            assert base.startswith("https://127.0.0.1:")
            trusted = ssl.create_default_context(cafile=str(pem))
            named = base.replace("127.0.0.1", "localhost")
            with httpx.Client(base_url=named, verify=trusted, timeout=PATIENCE_S, trust_env=False) as client:
                form = {"name": "victor", "password": PASSWORD}
                answer = client.post("/sign-in", data=form, headers={"origin": named})
                assert answer.status_code == 303, answer.text
                assert "; secure" in answer.headers["set-cookie"].casefold()
                assert client.get("/calls").status_code == 200
            with pytest.raises(httpx.TransportError):
                httpx.get(base.replace("https:", "http:"), trust_env=False, timeout=PATIENCE_S)
        finally:
            assert service.end() == 0
