"""Settings: flag before environment before file before default, and a clear sentence for what cannot be used."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ippbx_billing import language as texts
from ippbx_billing.errors import BillingError, DataError, UsageError
from ippbx_billing.settings import FILE_NAME, Settings, as_toml, default_data_dir, load


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "environment", "flags", "port"),
    [
        ("", {}, {}, 8181),
        ("[listen]\ncdr_port = 1\n", {}, {}, 1),
        ("[listen]\ncdr_port = 1\n", {"IPPBX_BILL_CDR_PORT": "2"}, {}, 2),
        ("[listen]\ncdr_port = 1\n", {"IPPBX_BILL_CDR_PORT": "2"}, {"cdr_port": 3}, 3),
        ("[listen]\ncdr_port = 1\n", {}, {"cdr_port": None}, 1),
    ],
)
def test_law_of_precedence(
    tmp_path: Path, file: str, environment: dict[str, str], flags: dict[str, Any], port: int
) -> None:
    """The flag wins over the environment, that over the file, that over the default."""
    assert load(written(tmp_path, file), flags, environment).cdr_port == port


def test_the_written_file_holds_every_setting_and_reads_back(tmp_path: Path) -> None:
    """`init` writes what `load` reads, every line with its comment."""
    settings = Settings(
        data_dir=tmp_path, area_code="022", extension_patterns=("8\\d{2,3}", "6666"), answer='{"a":"b"}'
    )
    text = as_toml(settings)
    assert load(written(tmp_path, text), environment={}) == settings
    names = {name for section in tomllib.loads(text).values() for name in section}
    assert names | {"data_dir"} == set(Settings.__dataclass_fields__)
    assert text.count("\n#") >= len(names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[listen]\ncdr_prt = 1\n", "knows no setting 'cdr_prt'"),
        ("[site]\ncdr_port = 1\n", "[site] knows no setting"),
        ("cdr_port = 1\n", "knows no setting"),
        ("[listen\n", "is not valid TOML"),
        ('[listen]\ncdr_port = "x"\n', "must be a whole number"),
        ("[listen]\ncdr_port = 70000\n", "at most 65535"),
        ("[listen]\ncdr_port = true\n", "must be a whole number"),
        ("[listen]\ncdr_port = 8.5\n", "must be a whole number"),
        ("[limits]\nmax_body_bytes = 0\n", "at least 1"),
        ("[limits]\nmin_free_bytes = -1\n", "at least 0"),
        ('[site]\ntimezone = "Asia/Tianjin"\n', "no such time zone"),
        ('[site]\ncountry = "China"\n', "two letters"),
        ('[pbx]\nextension_patterns = ["8("]\n', "is not a pattern"),
        ("[pbx]\nextension_patterns = 8\n", "list of texts"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    """The sentence names the file, the setting and what would be right."""
    with pytest.raises((DataError, UsageError)) as caught:
        load(written(tmp_path, text), environment={})
    assert message in caught.value.message
    assert str(tmp_path) in caught.value.message
    assert caught.value.hint


def test_what_cannot_be_used_is_said_in_chinese(tmp_path: Path) -> None:
    """Source, value and hint, in the language of the operator."""
    texts.use("zh")
    with pytest.raises(UsageError) as caught:
        load(tmp_path, environment={"IPPBX_BILL_CURRENCY": "EURO"})
    assert caught.value.message == "环境变量：currency 为 'EURO'，但应为三个字母，例如 CNY"


def test_a_misspelt_setting_is_offered_its_neighbour(tmp_path: Path) -> None:
    """`cdr_prt` asks whether `cdr_port` was meant."""
    with pytest.raises(BillingError) as caught:
        load(written(tmp_path, "[listen]\ncdr_prt = 1\n"), environment={})
    assert "cdr_port" in caught.value.hint


def test_patterns_from_the_environment_are_separated_by_commas(tmp_path: Path) -> None:
    """A list fits into one variable."""
    settings = load(tmp_path, environment={"IPPBX_BILL_EXTENSION_PATTERNS": "8XXX, 6666"})
    assert settings.extension_patterns == ("8XXX", "6666")


def test_the_data_directory_is_chosen_by_variable_or_system() -> None:
    """`IPPBX_BILL_DATA_DIR` wins; else the place where programs keep data."""
    assert default_data_dir({"IPPBX_BILL_DATA_DIR": "/srv/bill"}) == Path("/srv/bill")
    assert default_data_dir({"XDG_DATA_HOME": "/x"}) == Path("/x/ippbx-bill")
