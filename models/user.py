"""Users (用户), their roles, and the tokens they hold."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, HasId, enum_type
from models.organisation import Organisation


class Role(StrEnum):
    """What a user may do; one role a user, the matrix is in `tracing.access`."""

    STATION_STAFF = "station_staff"  # 救助站工作人员
    POLICE_EXAMINER = "police_examiner"  # 比对民警
    POLICE_SUPERVISOR = "police_supervisor"  # 公安联络站负责人
    CASEWORKER = "caseworker"  # 个案社工
    HEALTH_LIAISON = "health_liaison"  # 医疗联络员
    COMMUNITY_LIAISON = "community_liaison"  # 社区联络员: couriers, volunteers and patrols report through them
    RECEIVING_UNIT = "receiving_unit"  # 转介受理单位: answers what is referred to it
    BUREAU_SUPERVISOR = "bureau_supervisor"  # 民政局督导
    AUDITOR = "auditor"  # 审计员
    ADMINISTRATOR = "administrator"  # 系统管理员


class Locale(StrEnum):
    """Languages of the product, Chinese first."""

    ZH = "zh"
    EN = "en"


class User(HasId, Base):
    """An account. The table is not called "user": that is a reserved word in PostgreSQL."""

    __tablename__ = "user_account"

    organisation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    organisation: Mapped[Organisation] = relationship(lazy="raise")
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[Role] = mapped_column(enum_type(Role))
    locale: Mapped[Locale] = mapped_column(enum_type(Locale), default=Locale.ZH)
    password_hash: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    email: Mapped[str | None] = mapped_column(String(254))  # RFC 5321: no longer path is deliverable
    email_refused_at: Mapped[datetime | None]  # the mail server said that there is no such address


class TokenKind(StrEnum):
    """Access and refresh tokens of programs; session tokens of browsers."""

    ACCESS = "access"
    REFRESH = "refresh"
    SESSION = "session"


class Token(HasId, Base):
    """An opaque bearer token, stored as its SHA-256 alone. A `family` is revoked together when one of it leaks."""

    __tablename__ = "token"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user_account.id"), index=True)
    family: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[TokenKind] = mapped_column(enum_type(TokenKind))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
