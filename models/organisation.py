"""Organisations (机构): a tree from bureau to street post, each with its division."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, HasId, enum_type


class OrganisationKind(StrEnum):
    """What an organisation is."""

    BUREAU = "bureau"  # 民政局
    REGION_CENTRE = "region_centre"  # 区域性中心
    STATION = "station"  # 救助管理站
    STREET_POST = "street_post"  # 街道救助驿站
    COMMUNITY = "community"  # 社区
    POLICE_LIAISON = "police_liaison"  # 寻亲服务联络站
    HEALTH_LIAISON = "health_liaison"  # 病患者医疗救治联络站
    RECEIVING_UNIT = "receiving_unit"  # 转介受理单位: benefits office, disability federation, school, legal aid, labour


class Organisation(HasId, Base):
    """One organisation. `path` is the chain of ids from the root, "/a/b/", so that a subtree is a prefix."""

    __tablename__ = "organisation"

    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("organisation.id"))
    path: Mapped[str] = mapped_column(String(600), index=True)
    kind: Mapped[OrganisationKind] = mapped_column(enum_type(OrganisationKind))
    name_zh: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(160))
    division: Mapped[str] = mapped_column(String(6))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
