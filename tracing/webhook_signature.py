"""Signing webhooks after Standard Webhooks 1.0: HMAC-SHA-256 over id, time and body, so that receivers' libraries fit.

https://github.com/standard-webhooks/standard-webhooks: headers `webhook-id`, `webhook-timestamp` (seconds) and
`webhook-signature`, a list of `v1,` + base64 with one entry a secret while two are good.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
VERSION = "v1"
SECRET_BYTES = 32


def new_secret() -> bytes:
    """A fresh secret."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """The secret as it is told to the administrator, once."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(keys: Iterable[bytes], delivery_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers. Receivers refuse old timestamps, and ids that they have seen."""
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"{VERSION},{base64.b64encode(digest).decode()}" for digest in digests),
    }
