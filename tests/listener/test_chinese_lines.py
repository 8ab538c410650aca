"""What the listener says in Chinese: every refusal, and the lines of the real one."""

from pathlib import Path

import pytest

from ippbx_billing.language import speaking
from ippbx_billing.listener import answers
from ippbx_billing.listener.answers import Refusal
from tests.service_process import Service

REFUSALS = [one for one in vars(answers).values() if isinstance(one, Refusal)]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: one.reason)
def test_every_refusal_is_told_in_the_operators_language(refusal: Refusal) -> None:
    """What its sender is answered stays English: that is a program."""
    assert refusal.complaint.startswith(refusal.sentence)
    with speaking("zh"):
        assert not refusal.complaint.isascii()
        assert refusal.sentence not in refusal.complaint
    assert refusal.sentence.isascii()


def test_a_limit_is_told_with_its_figure() -> None:
    """In either language."""
    assert answers.too_large(100).complaint == "The body is larger than the 100 bytes allowed. (setting max_body_bytes)"
    with speaking("zh"):
        assert answers.too_large(100).complaint == "数据超过了允许的 100 字节。（设置项 max_body_bytes）"


def test_the_real_listener_speaks_chinese(site: Path) -> None:
    """Its first line, and a refusal with the setting behind it."""
    with Service(site, "--lang", "zh", IPPBX_BILL_MAX_BODY_BYTES="100") as service:
        assert service.announcement.startswith("正在接收：话单信息 http://127.0.0.1:")
        assert service.post(b"x" * 200).status_code == 413
        line = service.lines.get(timeout=60)
    assert line.endswith("拒绝了来自 127.0.0.1 的一个请求：数据超过了允许的 100 字节。（设置项 max_body_bytes）")
    assert " 注意: " in line
