from pathlib import Path

import pytest

from vitrina.settings import BadSettings, Settings


def test_the_order_is_flag_environment_file_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vitrina.toml").write_text('host = "file"\nport = 1\ncurrency = "EUR"\n')
    monkeypatch.setenv("VITRINA_HOST", "environment")
    monkeypatch.setenv("VITRINA_PORT", "2")

    settings = Settings.load(tmp_path, port=3, host=None)

    assert (settings.port, settings.host, settings.currency) == (3, "environment", "EUR")
    assert settings.file_delay_s == 1.0


def test_without_a_folder_or_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert Settings.load() == Settings.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prt = 1", "There is no setting 'prt'. Known: host, port"),
        ("port = 'x'", "The setting 'port' cannot be 'x'"),
        ("port = 70000", "less than or equal to 65535"),
        ("currency = 'EURO'", "is not an active ISO 4217 code"),
        ("[[[", "vitrina.toml cannot be read"),
        ("host = 1\nport = 'x'", "The setting 'host' cannot be 1"),
    ],
)
def test_a_bad_file_is_explained(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "vitrina.toml").write_text(text)

    with pytest.raises(BadSettings) as error:
        Settings.load(tmp_path)

    assert words in str(error.value)


def test_origins_are_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VITRINA_CORS_ORIGINS", "https://a.example https://b.example")
    assert Settings.load().cors_origins == ("https://a.example", "https://b.example")

    monkeypatch.delenv("VITRINA_CORS_ORIGINS")
    (tmp_path / "vitrina.toml").write_text('cors_origins = ["*"]')
    assert Settings.load(tmp_path).cors_origins == ("*",)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is_for(name: str) -> None:
    assert str(Settings.model_fields[name].description).endswith(".")
