"""The vault: nothing altered opens, nothing destroyed opens, a master key can be exchanged."""

import base64
import secrets
from uuid import uuid4

import pytest
from sqlalchemy import select

from models.subject import Subject
from tests.platform.conftest import NOW
from tracing.platform import crypto
from tracing.platform.crypto import Keyring, MasterKeyUnknown, SealBroken, SubjectErased, Vault, key_id
from tracing.platform.db import Database, unit_of_work


def keyring(*keys: bytes) -> Keyring:
    """A keyring whose first key is active."""
    return Keyring(key_id(keys[0]), {key_id(key): key for key in keys})


@pytest.fixture
def vault() -> Vault:
    """A vault with one master key."""
    return Vault(keyring(secrets.token_bytes(32)))


def test_what_is_sealed_opens_for_the_same_person_and_purpose(db: Database, vault: Vault) -> None:
    with unit_of_work(db) as session:
        subject = vault.new_subject(session, NOW)
        sealed = vault.seal(session, subject.id, "photo", b"\x00\xff picture")
        sealed_json = vault.seal_json(session, subject.id, "contact", {"姓名": "王小明", "n": [1, None]})
        assert vault.seal(session, subject.id, "photo", b"\x00\xff picture") != sealed
    with unit_of_work(db) as session:
        assert vault.open(session, subject.id, "photo", sealed) == b"\x00\xff picture"
        assert vault.open_json(session, subject.id, "contact", sealed_json) == {"姓名": "王小明", "n": [1, None]}
        assert "王小明".encode() not in sealed_json


def test_a_change_of_any_byte_is_found(sqlite_db: Database, vault: Vault) -> None:
    with unit_of_work(sqlite_db) as session:
        subject = vault.new_subject(session, NOW)
        sealed = vault.seal(session, subject.id, "photo", b"a picture")
        # Version, nonce, ciphertext and tag, each of their bytes.
        for place in range(len(sealed)):
            altered = bytearray(sealed)
            altered[place] ^= 0x01
            with pytest.raises(SealBroken):
                vault.open(session, subject.id, "photo", bytes(altered))
        for length in range(len(sealed)):
            with pytest.raises(SealBroken):
                vault.open(session, subject.id, "photo", sealed[:length])
        with pytest.raises(SealBroken):
            vault.open(session, subject.id, "photo", sealed + b"\x00")


def test_a_value_does_not_open_elsewhere(sqlite_db: Database, vault: Vault) -> None:
    with unit_of_work(sqlite_db) as session:
        one, other = vault.new_subject(session, NOW), vault.new_subject(session, NOW)
        sealed = vault.seal(session, one.id, "photo", b"a picture")
        with pytest.raises(SealBroken):
            vault.open(session, one.id, "contact", sealed)
        with pytest.raises(SealBroken):
            vault.open(session, other.id, "photo", sealed)
        # Not even when someone moves the other's wrapped key along with the value.
        other.wrapped_key = one.wrapped_key
        session.flush()
        with pytest.raises(SealBroken):
            Vault(vault._keyring).open(session, other.id, "photo", sealed)


def test_destroying_the_key_erases(db: Database, vault: Vault) -> None:
    with unit_of_work(db) as session:
        subject = vault.new_subject(session, NOW)
        sealed = vault.seal(session, subject.id, "photo", b"a picture")
    with unit_of_work(db) as session:
        vault.destroy(session, subject.id, NOW)
        vault.destroy(session, subject.id, NOW)
    with unit_of_work(db) as session:
        stored = session.scalars(select(Subject).where(Subject.id == subject.id)).one()
        assert (stored.wrapped_key, stored.destroyed_at) == (None, NOW)
        with pytest.raises(SubjectErased):
            vault.open(session, subject.id, "photo", sealed)
        with pytest.raises(SubjectErased):
            vault.seal(session, subject.id, "photo", b"another")
        with pytest.raises(SubjectErased):
            vault.destroy(session, uuid4(), NOW)


def test_a_destroyed_key_is_in_no_page_of_the_file(sqlite_db: Database, vault: Vault) -> None:
    with unit_of_work(sqlite_db) as session:
        subject = vault.new_subject(session, NOW)
        wrapped = subject.wrapped_key
    assert wrapped is not None
    with unit_of_work(sqlite_db) as session:
        vault.destroy(session, subject.id, NOW)
    with sqlite_db.engine.connect() as connection:
        connection.rollback()
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with open(str(sqlite_db.url.database), "rb") as file:  # noqa: PTH123
        assert wrapped not in file.read()


def test_another_process_forgets_a_destroyed_key(
    sqlite_db: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Vault(vault._keyring)
    with unit_of_work(sqlite_db) as session:
        subject = vault.new_subject(session, NOW)
        sealed = vault.seal(session, subject.id, "photo", b"a picture")
        assert elsewhere.open(session, subject.id, "photo", sealed) == b"a picture"
        vault.destroy(session, subject.id, NOW)
    monkeypatch.setattr(crypto, "CACHE_SECONDS", 0.0)
    with unit_of_work(sqlite_db) as session, pytest.raises(SubjectErased):
        elsewhere.open(session, subject.id, "photo", sealed)


def test_cache_is_bounded(sqlite_db: Database, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "CACHED_KEYS", 3)
    with unit_of_work(sqlite_db) as session:
        for _ in range(5):
            vault.seal(session, vault.new_subject(session, NOW).id, "photo", b"a picture")
    assert len(vault._cache) == 3


def test_master_key_rotation(db: Database) -> None:
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    before, both, after = Vault(keyring(old)), Vault(keyring(new, old)), Vault(keyring(new))
    with unit_of_work(db) as session:
        subjects = [before.new_subject(session, NOW) for _ in range(5)]
        sealed = before.seal(session, subjects[0].id, "photo", b"a picture")
        before.destroy(session, subjects[4].id, NOW)
    with unit_of_work(db) as session, pytest.raises(MasterKeyUnknown):
        after.open(session, subjects[0].id, "photo", sealed)
    with unit_of_work(db) as session:
        assert (before.count_retired(session), both.count_retired(session)) == (0, 4)
        assert [both.rewrap(session, limit=3) for _ in range(3)] == [3, 1, 0]
        assert both.count_retired(session) == 0
    with unit_of_work(db) as session:
        assert after.open(session, subjects[0].id, "photo", sealed) == b"a picture"
        with pytest.raises(SubjectErased):
            after.open(session, subjects[4].id, "photo", sealed)


def test_key_is_in_no_repr(vault: Vault) -> None:
    (key,) = vault._keyring.keys.values()
    assert repr(key) not in repr(vault._keyring)
    assert base64.b64encode(key).decode() not in repr(vault._keyring)
