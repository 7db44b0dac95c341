"""Master keys: where they come from, and the checks before one is believed."""

import base64
import hashlib
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tracing.platform.setting_groups import KEY_BYTES, decode_key
from tracing.platform.settings import Settings, SettingsError

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Keyring:
    """The active master key's id, and every master key by id. The keys are in no repr."""

    active_id: str
    keys: Mapping[str, bytes] = field(repr=False)


def key_id(key: bytes) -> str:
    """A master key's id: the first 16 hex digits of a tagged SHA-256; it tells nothing about the key."""
    return hashlib.sha256(b"guitu master key id\0" + key).hexdigest()[:16]


def derived_keys(keyring: Keyring, purpose: str) -> tuple[bytes, ...]:
    """A 32-byte key for one purpose from each master key, the active one first (HKDF-SHA-256, RFC 5869)."""
    order = [keyring.active_id, *(identity for identity in keyring.keys if identity != keyring.active_id)]
    info = f"guitu {purpose}".encode()
    return tuple(HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(keyring.keys[one]) for one in order)


def load_keyring(settings: Settings) -> Keyring:
    """The keyring of the settings: the variable, else the file, which development makes when it is missing.

    Raises SettingsError when there is no key, the file is open to others, or its content is not a key.
    """
    if settings.keys.master_key is not None:
        keys = [decode_key(settings.keys.master_key.get_secret_value())]
    else:
        path = settings.keys.master_key_file
        if not path.exists():
            if settings.production:
                raise SettingsError(
                    "GUITU_KEYS__MASTER_KEY_FILE names a file that does not exist. Put 32 random bytes in base64 there"
                    " (openssl rand -base64 32), mode 0600, and keep a copy apart from the data."
                )
            _make_key_file(path)
        keys = _read_key_file(path)
    keys += [decode_key(key.get_secret_value()) for key in settings.keys.retired_keys]
    return Keyring(key_id(keys[0]), {key_id(key): key for key in keys})


def _make_key_file(path: Path) -> None:
    """Write a new key beside and link it into place: of two processes one wins, and nobody reads half a key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return
    finally:
        part.unlink()
    log.warning(
        "master_key_made", file=str(path), advice="keep a copy apart from the data: without it nothing can be read"
    )


def _read_key_file(path: Path) -> list[bytes]:
    """The active key and the retired ones, one a line. Raises SettingsError."""
    descriptor = os.open(path, os.O_RDONLY)
    with os.fdopen(descriptor, "r", encoding="ascii", errors="replace") as stream:
        # The open file is asked, not its name: the two cannot be exchanged in between.
        mode = os.fstat(stream.fileno()).st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(
                f"The key file {path} (GUITU_KEYS__MASTER_KEY_FILE) is open to other users of the machine. Run:"
                f" chmod 600 {path}"
            )
        lines = [line for line in stream.read().splitlines() if line.strip()]
    try:
        keys = [decode_key(line) for line in lines]
    except ValueError as error:
        raise SettingsError(f"The key file {path} (GUITU_KEYS__MASTER_KEY_FILE) holds a line that is {error}") from None
    if not keys:
        raise SettingsError(
            f"The key file {path} (GUITU_KEYS__MASTER_KEY_FILE) is empty. Put its key back from a copy."
        )
    return keys
