"""Encryption at rest: AES-256-GCM under a data key per person, each wrapped by the master key.

A sealed value is: version (1 byte), nonce (12 bytes), ciphertext with its 16-byte tag. The tag also covers the version,
the person and the purpose, so that a value moved to another person or another field does not open.
"""

import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.subject import Subject
from tracing.platform.errors import NotFound, Unavailable
from tracing.platform.keyring import Keyring, derived_keys, key_id, load_keyring

__all__ = ["Keyring", "MasterKeyUnknown", "SealBroken", "SubjectErased", "Vault", "key_id", "load_keyring"]

VERSION = b"\x01"
NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: random nonces, at most 2**32 values under one key
TAG_BYTES = 16
DATA_KEY_BYTES = 32
CACHED_KEYS = 512
CACHE_SECONDS = 30.0


class SealBroken(Unavailable):
    """A sealed value does not open: altered, cut short, another person's, or meant for another purpose."""

    slug = "seal_broken"
    message = "Stored data could not be opened: it is damaged or was altered. Tell your administrator."


class MasterKeyUnknown(Unavailable):
    """A data key is wrapped by a master key that this installation was not given."""

    slug = "master_key_unknown"
    message = "The key that opens this data is missing. Tell your administrator to put the retired master key back."


class SubjectErased(NotFound):
    """The person's data key was destroyed, or never existed: nothing sealed under it can be read again."""

    slug = "subject_erased"
    message = "This person's data has been erased and cannot be shown. The record's dates and decisions remain."


class Vault:
    """Seals and opens with the data keys of the `subject` table. Safe to share between threads.

    Unwrapped data keys stay in memory for up to 30 seconds, so another process may still open what is sealed under a
    key for that long after it was destroyed here.
    """

    def __init__(self, keyring: Keyring) -> None:
        """Start with an empty cache."""
        self._keyring = keyring
        self._lock = Lock()
        self._cache: OrderedDict[UUID, tuple[float, bytes]] = OrderedDict()

    def new_subject(self, session: Session, now: datetime) -> Subject:
        """A person with a fresh data key, flushed but not committed."""
        key = secrets.token_bytes(DATA_KEY_BYTES)
        identity = uuid.uuid4()
        subject = Subject(
            id=identity,
            wrapped_key=self._wrap(identity, key),
            master_key_id=self._keyring.active_id,
            created_at=now,
            destroyed_at=None,
        )
        session.add(subject)
        session.flush()
        return subject

    def seal(self, session: Session, subject_id: UUID, purpose: str, data: bytes) -> bytes:
        """`data` sealed for this person and purpose ("photo:<id>", "contact:<id>" …). Raises SubjectErased."""
        return _seal(self._data_key(session, subject_id), _associated(subject_id, purpose), data)

    def open(self, session: Session, subject_id: UUID, purpose: str, sealed: bytes) -> bytes:
        """What was sealed for this person and purpose. Raises SealBroken, SubjectErased, MasterKeyUnknown."""
        return _open(self._data_key(session, subject_id), _associated(subject_id, purpose), sealed)

    def seal_json(self, session: Session, subject_id: UUID, purpose: str, value: Any) -> bytes:
        """A JSON value, sealed. Raises SubjectErased."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return self.seal(session, subject_id, purpose, text.encode())

    def open_json(self, session: Session, subject_id: UUID, purpose: str, sealed: bytes) -> Any:
        """The JSON value that `seal_json` was given. Raises what `open` raises."""
        return json.loads(self.open(session, subject_id, purpose, sealed))

    def digest(self, session: Session, subject_id: UUID, data: bytes) -> str:
        """HMAC-SHA-256 of the data under the person's key, in hex: equal files of one person are told without a hash
        that anybody who has the file could compute. Raises SubjectErased.
        """
        return hmac.new(self._data_key(session, subject_id), b"digest\0" + data, hashlib.sha256).hexdigest()

    def service_digests(self, purpose: str, data: bytes) -> tuple[str, ...]:
        """HMAC-SHA-256 of the data under a key of the service for one purpose, in hex: equal values of different people
        are told without opening any. One for each master key, the active one first.
        """
        return tuple(
            hmac.new(key, b"digest\0" + data, hashlib.sha256).hexdigest()
            for key in derived_keys(self._keyring, purpose)
        )

    def destroy(self, session: Session, subject_id: UUID, now: datetime) -> None:
        """Erase everything sealed for the person by erasing the data key. Again does nothing. Raises SubjectErased
        for a person who never existed.
        """
        self._forget(subject_id)
        subject = session.get(Subject, subject_id, with_for_update=True, populate_existing=True)
        if subject is None:
            raise SubjectErased
        if subject.destroyed_at is None:
            subject.wrapped_key = None
            subject.destroyed_at = now
            session.flush()
        self._forget(subject_id)

    def count_retired(self, session: Session) -> int:
        """How many data keys are wrapped with a master key that is not the active one."""
        return session.scalar(select(func.count()).select_from(Subject).where(self._retired())) or 0

    def _retired(self) -> ColumnElement[bool]:
        return (Subject.master_key_id != self._keyring.active_id) & Subject.wrapped_key.is_not(None)

    def rewrap(self, session: Session, limit: int = 500) -> int:
        """Wrap up to `limit` data keys anew with the active master key; how many there were (0: finished).

        Sealed values stay as they are. Raises MasterKeyUnknown, SealBroken.
        """
        query = select(Subject).where(self._retired()).limit(limit).with_for_update()
        subjects = session.scalars(query, execution_options={"populate_existing": True}).all()
        for subject in subjects:
            subject.wrapped_key = self._wrap(subject.id, self._unwrap(subject))
            subject.master_key_id = self._keyring.active_id
        session.flush()
        return len(subjects)

    def _data_key(self, session: Session, subject_id: UUID) -> bytes:
        moment = time.monotonic()
        with self._lock:
            known = self._cache.get(subject_id)
        if known is not None and moment - known[0] < CACHE_SECONDS:
            return known[1]
        subject = session.get(Subject, subject_id)
        if subject is None or subject.wrapped_key is None:
            self._forget(subject_id)
            raise SubjectErased
        key = self._unwrap(subject)
        with self._lock:
            self._cache[subject_id] = (moment, key)
            self._cache.move_to_end(subject_id)
            while len(self._cache) > CACHED_KEYS:
                self._cache.popitem(last=False)
        return key

    def _forget(self, subject_id: UUID) -> None:
        with self._lock:
            self._cache.pop(subject_id, None)

    def _wrap(self, subject_id: UUID, key: bytes) -> bytes:
        active = self._keyring.active_id
        return _seal(self._keyring.keys[active], _associated(subject_id, f"data-key:{active}"), key)

    def _unwrap(self, subject: Subject) -> bytes:
        master = self._keyring.keys.get(subject.master_key_id)
        if master is None:
            raise MasterKeyUnknown
        if subject.wrapped_key is None:
            raise SubjectErased
        return _open(master, _associated(subject.id, f"data-key:{subject.master_key_id}"), subject.wrapped_key)


def _associated(subject_id: UUID, purpose: str) -> bytes:
    return VERSION + subject_id.bytes + purpose.encode()


def _seal(key: bytes, associated: bytes, data: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, data, associated)


def _open(key: bytes, associated: bytes, sealed: bytes) -> bytes:
    header = len(VERSION) + NONCE_BYTES
    if len(sealed) < header + TAG_BYTES or not sealed.startswith(VERSION):
        raise SealBroken
    try:
        return AESGCM(key).decrypt(sealed[len(VERSION) : header], sealed[header:], associated)
    except InvalidTag:
        raise SealBroken from None
