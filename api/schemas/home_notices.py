"""Notices to the home district over the wire."""

import uuid
from datetime import date, datetime

from pydantic import ConfigDict, Field

from api.schemas.base import Input, Output
from models.home_notice import HomeAnswer, HomeNotice, HomeNoticeKind


class AnswerIn(Input):
    """The home district's answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"answer": "takes_over"}]})

    answer: HomeAnswer


class HomeNoticeOut(Output):
    """One notice. It names the case by its number, the addressee, and nobody of the family."""

    id: uuid.UUID
    kind: HomeNoticeKind
    case_number: str
    from_organisation: str
    division: str | None
    organisation_id: uuid.UUID | None
    receiver: str | None
    document_number: str | None
    sent_on: date
    created_at: datetime
    answer: HomeAnswer | None
    answered_by_id: uuid.UUID | None
    answered_at: datetime | None
    void: bool = Field(description="The transfer was withdrawn, or the confirmation recalled: nothing waits.")


def home_notice_out(row: HomeNotice, *, void: bool) -> HomeNoticeOut:
    """All of a notice; `row.case` with its organisation and `row.organisation` must be loaded."""
    own = {
        "case_number": row.case.number,
        "from_organisation": row.case.organisation.name_zh,
        "void": void,
        "receiver": row.organisation.name_zh if row.organisation else row.receiver,
    }
    return HomeNoticeOut(**own, **{name: getattr(row, name) for name in HomeNoticeOut.model_fields if name not in own})
