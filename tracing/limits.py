"""Limits (频率限制): how often a password may be wrong, and how often the public may write, by name and by address."""

import hashlib
import math
import time

from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from tracing.platform import errors
from tracing.platform.settings import LimitSettings


class LoginLimiter:
    """Counts failed sign-ins in the storage of the settings: memory for one process, Redis for many."""

    def __init__(self, settings: LimitSettings) -> None:
        """Connects to nothing yet."""
        self._limiter = MovingWindowRateLimiter(storage_from_string(settings.storage_uri.get_secret_value()))
        self._per_username = parse(settings.login_per_username)
        self._per_address = parse(settings.login_per_address)

    def check(self, username: str, address: str) -> None:
        """Raise TooManyAttempts when either count is full."""
        for item, key in self._counts(username, address):
            if not self._limiter.test(item, key):
                reset_at = self._limiter.get_window_stats(item, key).reset_time
                raise errors.TooManyAttempts(retry_after=max(1, math.ceil(reset_at - time.time())))

    def failed(self, username: str, address: str) -> None:
        """Count a failed attempt."""
        for item, key in self._counts(username, address):
            self._limiter.hit(item, key)

    def succeeded(self, username: str) -> None:
        """Forget a user's failures: whoever knows the password was only mistaken before."""
        self._limiter.clear(self._per_username, _key("username", username.strip().lower()))

    def _counts(self, username: str, address: str) -> tuple[tuple[RateLimitItem, str], ...]:
        return (
            (self._per_username, _key("username", username.strip().lower())),
            (self._per_address, _key("address", address)),
        )


class TipLimiter:
    """Counts what the public sends, by address and by the notice's address, whether there is such a notice or not."""

    def __init__(self, settings: LimitSettings) -> None:
        """Connects to nothing yet."""
        self._limiter = MovingWindowRateLimiter(storage_from_string(settings.storage_uri.get_secret_value()))
        self._per_address = parse(settings.tips_per_address)
        self._per_notice = parse(settings.tips_per_notice)

    def take(self, token: str, address: str) -> None:
        """Count one. Raises TooManyAttempts when either count is full."""
        for item, key in ((self._per_address, _key("tip-address", address)), (self._per_notice, _key("tip", token))):
            if not self._limiter.hit(item, key):
                reset_at = self._limiter.get_window_stats(item, key).reset_time
                raise errors.TooManyAttempts(retry_after=max(1, math.ceil(reset_at - time.time())))


def _key(kind: str, value: str) -> str:
    # Hashed: what people type as their name, passwords by mistake included, does not belong in Redis.
    return f"login:{kind}:{hashlib.sha256(value.encode()).hexdigest()[:32]}"
