"""The policy of notifications (通知规则): each kind's words, when it is mailed, tries and waits, how long it is kept.

Packaged data (`tracing/policies/notifications.json`), because notifications are written wherever something happens.
Each person may choose otherwise when a kind is mailed.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from models.notification import MailDelivery, NotificationKind
from models.user import Locale
from tracing.policy_files import PACKAGED, Row, parse_policy

FILE = PACKAGED / "notifications.json"


class KindPolicy(Row):
    """One kind: when it is mailed unless somebody chooses otherwise, and what a mail says of it."""

    mail: MailDelivery
    zh: str
    en: str

    def words(self, locale: Locale) -> str:
        """What a mail says."""
        return self.zh if locale is Locale.ZH else self.en


class Digest(Row):
    """When the day's mail goes out."""

    hour: int = Field(ge=0, le=23)
    time_zone: str

    def after(self, now: datetime) -> datetime:
        """The next time after `now`."""
        local = now.astimezone(ZoneInfo(self.time_zone))
        today = local.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        return today if today > local else today + timedelta(days=1)


class MailRetry(Row):
    """Waits between tries when the mail server does not answer: each as long as it has taken so far, within bounds."""

    first_seconds: float = Field(gt=0)
    longest_seconds: float = Field(gt=0)
    give_up_hours: float = Field(gt=0)

    def wait(self, age: timedelta) -> timedelta:
        """How long to wait after a failure of a mail that has been due for `age`."""
        return timedelta(seconds=min(max(age.total_seconds(), self.first_seconds), self.longest_seconds))

    def over(self, age: timedelta) -> bool:
        """Whether to give up."""
        return age >= timedelta(hours=self.give_up_hours)


class KeepDays(Row):
    """How long rows are kept."""

    read: int = Field(ge=1)
    unread: int = Field(ge=1)
    deliveries: int = Field(ge=1)


class NotificationPolicy(Row):
    """The whole file."""

    version: str
    source: str
    digest: Digest
    mail_retry: MailRetry
    webhook_retry_seconds: tuple[float, ...] = Field(min_length=1)
    webhook_disable_after: int = Field(ge=1)
    webhook_rotation_hours: float = Field(gt=0)
    keep_days: KeepDays
    kinds: Mapping[str, KindPolicy]

    @model_validator(mode="after")
    def _names_every_kind(self) -> "NotificationPolicy":
        missing = {kind.value for kind in NotificationKind} - self.kinds.keys()
        if missing:
            raise ValueError(f"no words for {sorted(missing)}")
        return self


@cache
def policy() -> NotificationPolicy:
    """The packaged policy."""
    return parse_policy(FILE, NotificationPolicy)
