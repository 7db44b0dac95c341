"""The key file: made once, for its owner alone, and believed only if nobody else can read it."""

import base64
import stat
from pathlib import Path
from threading import Barrier, Thread

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from tracing.platform.keyring import Keyring, key_id, load_keyring
from tracing.platform.settings import KeySettings, Settings, SettingsError

FIRST, SECOND = bytes(range(32)), bytes(range(1, 33))


def encoded(key: bytes) -> str:
    """A key as settings and files hold it."""
    return base64.b64encode(key).decode()


def test_development_makes_the_file_once_and_says_so(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    with capture_logs() as lines:
        made = load_keyring(settings)
        again = load_keyring(settings)
    assert made == again
    file = settings.keys.master_key_file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (line,) = lines
    assert (line["event"], line["file"], line["log_level"]) == ("master_key_made", str(file), "warning")
    assert file.read_text().strip() not in str(line)
    assert [path.name for path in file.parent.iterdir()] == ["master.key"]


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var")
    together, found = Barrier(4), list[Keyring]()

    def load() -> None:
        together.wait()
        found.append(load_keyring(settings))

    threads = [Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({keyring.active_id for keyring in found}) == 1


def test_production_never_makes_a_file(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    settings = Settings(environment="production", keys=KeySettings(master_key_file=file))
    with pytest.raises(SettingsError, match="GUITU_KEYS__MASTER_KEY_FILE"):
        load_keyring(settings)
    assert not file.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    load_keyring(settings)
    settings.keys.master_key_file.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_keyring(settings)


@pytest.mark.parametrize("content", ["", "\n", "not a key\n", "YWJj\n", "密钥\n"])
def test_a_file_without_a_key_is_refused_and_kept(content: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    file = settings.keys.master_key_file
    file.write_text(content, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="MASTER_KEY_FILE"):
        load_keyring(settings)
    assert file.read_text(encoding="utf-8") == content


def test_the_variable_wins_and_retired_keys_follow(tmp_path: Path) -> None:
    file = tmp_path / "master.key"
    keys = KeySettings(
        master_key=SecretStr(encoded(FIRST)), master_key_file=file, retired_keys=(SecretStr(encoded(SECOND)),)
    )
    keyring = load_keyring(Settings(keys=keys))
    assert keyring == Keyring(key_id(FIRST), {key_id(FIRST): FIRST, key_id(SECOND): SECOND})
    assert not file.exists()


def test_further_lines_of_the_file_are_retired_keys(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    file = settings.keys.master_key_file
    file.write_text(f"{encoded(SECOND)}\n{encoded(FIRST)}\n")
    file.chmod(0o600)
    assert load_keyring(settings) == Keyring(key_id(SECOND), {key_id(SECOND): SECOND, key_id(FIRST): FIRST})
