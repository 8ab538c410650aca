"""A word for the outcome that nobody knows: no conversation, no fee, until a person says once what it means."""

import json
from pathlib import Path

import pytest

from ippbx_billing.calls import Disposition
from ippbx_billing.dialects import load
from ippbx_billing.dialects.teaching import own_words, teach
from ippbx_billing.errors import DataError
from ippbx_billing.inbox import Inbox
from ippbx_billing.ledger import Ledger
from ippbx_billing.pipeline import Pipeline, Rules
from ippbx_billing.settings import load as load_settings
from tests.bodies import fill
from tests.conftest import Cli


def body(word: str, duration: int = 25, name: str = "c1") -> bytes:
    """A record that tells by this word alone whether anybody spoke."""
    record = {"call_id": name, "caller": "8001", "callee": "902162345678", "start_time": "2026-05-21 22:00:00"}
    return json.dumps(record | {"duration": duration, "status": word}).encode()


def deliver(site: Path, *bodies: bytes) -> None:
    settings = load_settings(site)
    fill(settings.inbox_path, bodies)
    with Ledger(settings.ledger_path) as ledger, Inbox(settings.inbox_path) as inbox:
        Pipeline(inbox, ledger, lambda: Rules.of(ledger, settings)).drain()


def listed(cli: Cli, *command: str) -> list[dict[str, object]]:
    return list(json.loads(cli(*command, "--format", "json").stdout))


def test_a_word_is_taught_once(site: Path, cli: Cli) -> None:
    """The call waits without a fee, is listed, and is rated when the word is known; the next one needs no asking."""
    deliver(site, body("gesprokken"), body("ACME-17", name="c2"))
    calls = listed(cli, "calls", "list")
    assert [(call["status"], call["billed_s"], call["fee"]) for call in calls] == [("unrated", 0, None)] * 2
    assert "gesprokken" in str(calls[0]["reason"])
    assert {row["word"]: row["calls"] for row in listed(cli, "dialects", "words")} == {"gesprokken": 1, "ACME-17": 1}

    taught = cli("dialects", "words", "set", "gesprokken", "answered")
    assert taught.exit_code == 0
    assert "gesprokken means answered; 1 events were read again" in taught.stderr
    deliver(site, body("Gesprokken", 30, "c3"))

    rated = {call["call_id"]: (call["status"], call["billed_s"]) for call in listed(cli, "calls", "list")}
    assert rated == {"c1": ("rated", 25), "c2": ("unrated", 0), "c3": ("rated", 30)}
    words = {row["word"]: row["meaning"] for row in listed(cli, "dialects", "words")}
    assert words == {"ACME-17": None, "gesprokken": "answered"}


def test_a_new_tariff_does_not_forget_the_doubt(site: Path, cli: Cli) -> None:
    """Rating again leaves a call without a fee whose outcome nobody knows, and no other one."""
    deliver(site, body("gesprokken"), body("ANSWERED", name="c2"))
    before = listed(cli, "calls", "list")
    assert cli("rerate", "--month", "2026-05").exit_code == 0
    assert listed(cli, "calls", "list") == before
    assert [call["status"] for call in before] == ["unrated", "rated"]


def test_a_word_changes_its_meaning(tmp_path: Path) -> None:
    """The last word holds, and the file stays one that can be read."""
    teach(tmp_path, "Olé!", Disposition.BUSY)
    teach(tmp_path, "olé!", Disposition.FAILED)
    assert own_words(tmp_path).disposition == {"failed": ["olé!"]}
    assert load(tmp_path)["uc"].disposition_words.meaning("OLÉ!") == Disposition.FAILED


def test_a_broken_file_of_words_is_named(tmp_path: Path) -> None:
    """Whoever edits it is told where it is wrong."""
    (tmp_path / "_words.toml").write_text("[disposition]\nperhaps = ['x']\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"_words\.toml"):
        load(tmp_path)


ANSWERED = "已接听 接听成功 angenommen répondu contestada atendida отвечен cevaplandı odebrane 応答 응답 opgenomen"
MISSED = "振铃超时 久叫不应 verpasst manqué perdida пропущен cevapsız nieodebrane 不在着信 부재중 gemist NOANSWER"
BUSY = "占线 besetzt occupé ocupado occupato занято meşgul zajęte 話中 통화중 bezet USER_BUSY"
FAILED = "空号 拒接 关机 abgelehnt échec rechazada recusada fallita недоступен reddedildi odrzucone 拒否 거절 FORBIDDEN"


@pytest.mark.parametrize(
    ("words", "meaning"), [(ANSWERED, "answered"), (MISSED, "no_answer"), (BUSY, "busy"), (FAILED, "failed")]
)
def test_the_words_of_many_languages(words: str, meaning: str) -> None:
    """What PBXs of a dozen languages say of an outcome needs no teaching."""
    vocabulary = load()["uc"].disposition_words
    assert {word: vocabulary.meaning(word) for word in words.split()} == dict.fromkeys(words.split(), meaning)
