"""A browser without a window: it keeps cookies, says where its forms come from, and follows where it is sent.

with Visitor(site) as anna:
    anna.sign_in("anna")
    page = anna.get("/calls")
    page.texts("h1")
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
from lxml import html

from ippbx_billing.console.app import application
from ippbx_billing.operators import OperatorFile, Role
from ippbx_billing.settings import load

HOST = "127.0.0.1:8180"
BASE = f"http://{HOST}"
PASSWORD = "correct horse battery"
NOW = datetime(2026, 10, 14, 6, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


class Answered:
    """An answer, and its page as a tree."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.body = answer.content
        self.text = answer.text
        self.headers = answer.headers
        self.path = answer.url.raw_path.decode()

    def tree(self) -> Any:
        return html.fromstring(self.text)

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements of that name, with single blanks."""
        return [" ".join(one.text_content().split()) for one in self.tree().iter(selector)]

    def links(self) -> list[str]:
        """Where its links and forms lead."""
        tree = self.tree()
        return [*tree.xpath("//@href"), *tree.xpath("//@action"), *tree.xpath("//@src")]


class Visitor:
    """One browser of one person."""

    def __init__(self, site: Path, clock: Clock | None = None, address: str = "192.168.6.20") -> None:
        self.using = load(site)
        self.clock = clock or Clock()
        self.app = application(self.using, self.clock)
        self._runner = asyncio.Runner()
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 50000), raise_app_exceptions=False),
            base_url=BASE,
            headers={"accept-language": "en"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self.client.aclose())
        self._runner.close()

    def ask(self, method: str, path: str, follow: bool = True, **more: Any) -> Answered:
        return Answered(
            self._runner.run(self.client.request(method, path, follow_redirects=follow, timeout=60, **more))
        )

    def get(self, path: str, **more: Any) -> Answered:
        return self.ask("GET", path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Answered:
        """A form, sent from a page of the console."""
        headers = {"origin": BASE, "sec-fetch-site": "same-origin", **more.pop("headers", {})}
        return self.ask("POST", path, data=data or {}, headers=headers, **more)

    def sign_in(self, name: str, password: str = PASSWORD, **more: Any) -> Answered:
        return self.post("/sign-in", {"name": name, "password": password, **more})

    @property
    def cookie(self) -> str:
        return str(self.client.cookies.get("ippbx_visit", ""))


def operator(site: Path, name: str, role: Role, **scope: str) -> int:
    """Somebody who can sign in with PASSWORD."""
    with OperatorFile(load(site).operators_path) as file:
        made = file.operators.add(name, role, NOW, **scope)
        file.operators.set_password(made.id, PASSWORD)
        return made.id
