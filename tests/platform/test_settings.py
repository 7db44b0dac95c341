"""Settings: what is refused, and the page that documents them."""

import base64
import os
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from tracing.platform.settings import (
    KeySettings,
    LimitSettings,
    MatchingSettings,
    Settings,
    SettingsError,
    WebSettings,
    load_settings,
    settings_table,
)

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("GUITU_"):
            monkeypatch.delenv(name)


def production(**groups: object) -> Settings:
    """Settings that production accepts, but for the groups given."""
    good: dict[str, object] = {
        "environment": "production",
        "keys": KeySettings(master_key=SecretStr(KEY)),
        "limits": LimitSettings(storage_uri=SecretStr("redis://127.0.0.1:6379/1")),
        "web": WebSettings(secure_cookies=True, public_url="https://guitu.example"),
    }
    return Settings.model_validate(good | groups)


def test_page_is_what_the_settings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_table()


def test_every_field_has_a_description() -> None:
    assert "| None |" not in settings_table()


def test_defaults_are_for_development_and_derive_from_the_data_folder() -> None:
    settings = Settings(data_dir=Path("/srv/guitu"))
    assert settings.database.url.get_secret_value() == "sqlite:////srv/guitu/guitu.sqlite3"
    assert settings.keys.master_key_file == Path("/srv/guitu/master.key")
    assert settings.check() == ()


def test_settings_are_frozen() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.data_dir = Path("/elsewhere")  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.jobs.threads = 4  # type: ignore[misc]


def test_production_accepts_explicit_settings_and_warns_of_sqlite() -> None:
    (warning,) = production().check()
    assert "GUITU_DATABASE__URL" in warning


@pytest.mark.parametrize(
    ("groups", "variable"),
    [
        ({"keys": KeySettings()}, "GUITU_KEYS__MASTER_KEY"),
        ({"limits": LimitSettings()}, "GUITU_LIMITS__STORAGE_URI"),
        ({"web": WebSettings(public_url="https://guitu.example")}, "GUITU_WEB__SECURE_COOKIES"),
        ({"web": WebSettings(secure_cookies=True)}, "GUITU_WEB__PUBLIC_URL"),
    ],
)
def test_production_refuses_what_is_safe_on_a_desk_only(groups: dict[str, object], variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        production(**groups).check()


def test_production_accepts_a_key_file_that_was_named() -> None:
    production(keys=KeySettings(master_key_file=Path("/run/secrets/master"))).check()


def test_development_warns_when_other_machines_can_reach_it() -> None:
    (warning,) = Settings(web=WebSettings(host="0.0.0.0")).check()  # noqa: S104 - that is the point
    assert "GUITU_WEB__HOST" in warning


def test_environment_reaches_nested_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUITU_JOBS__MODE", "celery")
    monkeypatch.setenv("GUITU_JOBS__THREADS", "3")
    monkeypatch.setenv("GUITU_KEYS__RETIRED_KEYS", f'["{KEY}"]')
    settings = load_settings()
    assert (settings.jobs.mode, settings.jobs.threads) == ("celery", 3)
    assert [key.get_secret_value() for key in settings.keys.retired_keys] == [KEY]


@pytest.mark.parametrize("name", ["GUITU_ENVIROMENT", "GUITU_JOBS__TREADS", "guitu_web__hots"])
def test_a_misspelt_variable_is_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "production")
    with pytest.raises(SettingsError, match=name):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GUITU_KEYS__MASTER_KEY", "hunter2-hunter2"),
        ("GUITU_KEYS__MASTER_KEY", base64.b64encode(b"hunter2").decode()),
        ("GUITU_JOBS__THREADS", "hunter2"),
        ("GUITU_LIMITS__LOGIN_PER_USERNAME", "hunter2"),
        ("GUITU_TIME_ZONE", "hunter2"),
    ],
)
def test_a_wrong_value_is_refused_without_being_repeated(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as refusal:
        load_settings()
    assert value not in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("name", ["GUITU_KEYS__RETIRED_KEYS", "GUITU_KEYS"])
def test_what_is_not_json_is_refused_without_being_repeated(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hunter2")
    with pytest.raises(SettingsError, match="GUITU_") as refusal:
        load_settings()
    assert "hunter2" not in str(refusal.value)


def test_a_file_is_read_when_named_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "guitu.env"
    file.write_text("GUITU_WEB__PORT=8123\nGUITU_WEB__HOST=localhost\n")
    monkeypatch.setenv("GUITU_SETTINGS_FILE", str(file))
    monkeypatch.setenv("GUITU_WEB__PORT", "8999")
    settings = load_settings()
    assert (settings.web.port, settings.web.host) == (8999, "localhost")
    file.unlink()
    with pytest.raises(SettingsError, match="GUITU_SETTINGS_FILE"):
        load_settings()


def test_no_secret_is_in_the_repr() -> None:
    settings = Settings(keys=KeySettings(master_key=SecretStr(KEY)))
    assert KEY not in repr(settings)
    assert KEY not in settings.model_dump_json()


def test_default_list_cannot_exceed_the_longest() -> None:
    with pytest.raises(ValidationError, match="candidate_limit"):
        MatchingSettings(candidate_limit=30, candidate_limit_max=25)
