"""A long file sealed in chunks that can be neither altered, reordered, cut short nor continued unseen.

The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár 2015, "Online authenticated-encryption and its
nonce-reuse misuse-resistance") over AES-256-GCM, laid out much as in Tink's streaming AEAD: each file has a key of its
own (HKDF-SHA-256 of the caller's key and a random salt), a chunk's nonce is its number and a mark on the last one, and
the associated data of every chunk is the file's whole header.
"""

import hashlib
import hmac
from typing import Any, BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from matcher.index.base import Damage, SnapshotDamaged

Data = bytes | bytearray | NDArray[Any]
"""Bytes, or a contiguous array of numbers."""

CHUNK = 1 << 20
TAG = 16
SALT = 32
KEY = 32
PURPOSE = b"guitu index snapshot"


def key_id(key: bytes) -> str:
    """What tells one key from another and nothing else about it: the first 16 hex digits of an HMAC under it."""
    return hmac.new(key, PURPOSE + b" key id", hashlib.sha256).hexdigest()[:16]


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    if len(key) != KEY:
        raise ValueError(f"the key has {KEY} bytes")
    return AESGCM(HKDF(algorithm=SHA256(), length=KEY, salt=salt, info=PURPOSE).derive(key))


def _bytes(data: Data) -> memoryview:
    return memoryview(data.reshape(-1).view(np.uint8).data if isinstance(data, np.ndarray) else data)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class SealedWriter:
    """Writes what it is given, sealed, to a file whose header is written already."""

    def __init__(self, file: BinaryIO, key: bytes, salt: bytes, header: bytes) -> None:
        """Raises ValueError when the key has not 32 bytes."""
        self._file, self._header = file, header
        self._cipher = _cipher(key, salt)
        self._number = 0
        self._pending = bytearray()

    def write(self, data: Data) -> None:
        """Seal more."""
        view = _bytes(data)
        while len(view):
            # A full chunk waits until more comes: only then is it known not to be the last.
            if len(self._pending) == CHUNK:
                self._seal(last=False)
            room = CHUNK - len(self._pending)
            self._pending += view[:room]
            view = view[room:]

    def finish(self) -> None:
        """Write the last chunk, which may be empty. Nothing can follow."""
        self._seal(last=True)

    def _seal(self, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), self._pending, self._header))
        self._number += 1
        self._pending.clear()


class SealedReader:
    """Opens what `SealedWriter` sealed. Hands out nothing that was not authenticated."""

    def __init__(self, file: BinaryIO, key: bytes, salt: bytes, header: bytes) -> None:
        """Reads the first chunk at once, so that the header is known to be true. Raises SnapshotDamaged, ValueError."""
        self._file, self._header = file, header
        self._cipher = _cipher(key, salt)
        self._number = 0
        self._ended = False
        self._sealed = file.read(CHUNK + TAG)
        self._open = memoryview(b"")
        self._next()

    def readinto(self, target: Data) -> None:
        """Fill the whole buffer. Raises SnapshotDamaged when there is less, or it does not open."""
        view = _bytes(target)
        while len(view):
            if not len(self._open):
                self._next()
            part = self._open[: len(view)]
            view[: len(part)] = part
            view, self._open = view[len(part) :], self._open[len(part) :]

    def finish(self) -> None:
        """Check that the last chunk was reached and nothing is left over. Raises SnapshotDamaged."""
        if len(self._open):
            raise SnapshotDamaged(Damage.ALTERED, "more than the header says")
        if not self._ended:
            self._next()
            self.finish()

    def _next(self) -> None:
        if self._ended:
            raise SnapshotDamaged(Damage.ALTERED, "less than the header says")
        if len(self._sealed) < TAG:
            raise SnapshotDamaged(Damage.TRUNCATED, f"chunk {self._number}")
        following = self._file.read(CHUNK + TAG)
        try:
            found = self._cipher.decrypt(_nonce(self._number, not following), self._sealed, self._header)
        except InvalidTag:
            raise SnapshotDamaged(Damage.ALTERED, f"chunk {self._number}") from None
        self._open, self._sealed, self._ended = memoryview(found), following, not following
        self._number += 1
