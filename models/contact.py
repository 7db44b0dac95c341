"""Contact (联系家属): the release that opens a family's sealed details, the plan, the screenings, the attempts."""

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class PersonWish(StrEnum):
    """What the person wants (本人意愿)."""

    WANTS_CONTACT = "wants_contact"  # 愿意联系
    CANNOT_EXPRESS = "cannot_express"  # 无法表达
    OBJECTS = "objects"  # 不愿联系


class DangerScreen(StrEnum):
    """Whether home is safe (家庭安全筛查): violence, trafficking, abuse."""

    NO_SIGN = "no_sign"  # 未见危险
    SUSPECTED = "suspected"  # 疑有危险


class ContactRelease(HasId, Base):
    """The police open the family's details to the station's caseworkers. Immutable; one a confirmation."""

    __tablename__ = "contact_release"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    confirmation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("confirmation.id"), unique=True)
    wish: Mapped[PersonWish] = mapped_column(enum_type(PersonWish))
    danger: Mapped[DangerScreen] = mapped_column(enum_type(DangerScreen))
    released_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    released_at: Mapped[datetime]


class ContactChannel(StrEnum):
    """Through whom the family was reached (联系途径)."""

    LOCAL_POLICE = "local_police"  # 当地派出所
    VILLAGE_COMMITTEE = "village_committee"  # 村（居）委会
    TELEPHONE = "telephone"  # 直接电话
    VISIT = "visit"  # 上门


LOCAL_CHANNELS = frozenset({ContactChannel.LOCAL_POLICE, ContactChannel.VILLAGE_COMMITTEE})
"""Through whom the first attempt goes: families take a stranger's call for fraud."""


class ContactResult(StrEnum):
    """What came of an attempt (联系结果)."""

    REACHED = "reached"  # 已联系上
    NO_ANSWER = "no_answer"  # 无人接听
    WRONG_NUMBER = "wrong_number"  # 号码有误
    REFUSED = "refused"  # 家属拒绝
    CALL_BACK = "call_back"  # 约定回电


class ContactAttempt(HasId, Base):
    """One attempt to reach the family. The note is sealed under the reported person's data key. Immutable.

    `confirmation_id`: whose family it was; None in attempts from before it was kept.
    """

    __tablename__ = "contact_attempt"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    confirmation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("confirmation.id"))
    channel: Mapped[ContactChannel] = mapped_column(enum_type(ContactChannel))
    result: Mapped[ContactResult] = mapped_column(enum_type(ContactResult))
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempted_at: Mapped[datetime]
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]


class ContactScreening(HasId, Base):
    """What the person wants and whether home is safe, asked on a day (意愿与安全复询). The last one counts. Immutable.

    `ordinal` counts from 1 in each case. The note is sealed under the unknown person's data key.
    """

    __tablename__ = "contact_screening"
    __table_args__ = (UniqueConstraint("case_id", "ordinal"),)

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"))
    ordinal: Mapped[int]
    wish: Mapped[PersonWish] = mapped_column(enum_type(PersonWish))
    danger: Mapped[DangerScreen] = mapped_column(enum_type(DangerScreen))
    asked_on: Mapped[date]
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    recorded_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]

    @property
    def stops(self) -> bool:
        """Whether it stops every contact."""
        return self.wish is PersonWish.OBJECTS or self.danger is DangerScreen.SUSPECTED


class ContactPlan(HasId, Base):
    """Through which unit the family is called, and where it can call back (联系方案). The newest counts. Immutable.

    The unit's name tells where the family lives: sealed under the reported person's data key.
    """

    __tablename__ = "contact_plan"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    confirmation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("confirmation.id"))
    channel: Mapped[ContactChannel] = mapped_column(enum_type(ContactChannel))
    unit_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    call_back_number: Mapped[str] = mapped_column(String(40))
    script_version: Mapped[str] = mapped_column(String(40))
    made_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[datetime]


class ContactException(HasId, Base):
    """A police supervisor lets the first attempt go another way than through the local police or village committee
    (首次联系例外), with the reason. Immutable; for one confirmation.
    """

    __tablename__ = "contact_exception"

    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    confirmation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("confirmation.id"), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    allowed_by_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"))
    allowed_at: Mapped[datetime]
