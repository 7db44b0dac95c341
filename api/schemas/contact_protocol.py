"""The protocol of contact over the wire: script, plan, screenings, exception, verification of kin."""

import uuid
from datetime import date, datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.base import Day, Input, Line, Output, Text
from models.contact import ContactChannel, ContactException, ContactPlan, ContactScreening, DangerScreen, PersonWish
from models.kin import DnaReason, KinDocument, KinResult, KinVerification
from tracing.homeward_policy import ContactScript
from tracing.kin import KinEvidence, Question, SeenDocument


class SentenceOut(Output):
    """A sentence in both languages."""

    zh: str
    en: str


class ScriptOut(Output):
    """What is said in the first call, which open questions are asked, and what is never said."""

    version: str
    source: str
    opening: tuple[SentenceOut, ...]
    questions: tuple[SentenceOut, ...]
    never: tuple[SentenceOut, ...]


class PlanIn(Input):
    """Through which unit the family is called, and the station's published number to call back."""

    channel: ContactChannel
    unit: Annotated[Line, Field(max_length=120)]
    call_back_number: Annotated[Line, Field(max_length=40)]

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"channel": "local_police", "unit": "演武派出所", "call_back_number": "0777-2820000"}]
        }
    )


class PlanOut(Output):
    """A plan, its unit opened."""

    id: uuid.UUID
    channel: ContactChannel
    unit: str
    call_back_number: str
    script_version: str
    made_by_id: uuid.UUID
    made_at: datetime


class ScreeningIn(Input):
    """What the person wants and whether home is safe, as asked on a day. The note is sealed."""

    wish: PersonWish
    danger: DangerScreen
    asked_on: Day
    note: Text | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"wish": "objects", "danger": "no_sign", "asked_on": "2026-03-02"}]}
    )


class ScreeningOut(Output):
    """One screening. `stops`: no contact while it is the last."""

    id: uuid.UUID
    ordinal: int
    wish: PersonWish
    danger: DangerScreen
    stops: bool
    asked_on: date
    note: str | None
    recorded_by_id: uuid.UUID
    recorded_at: datetime


class ExceptionOut(Output):
    """An exception from the rule that the first attempt is local."""

    id: uuid.UUID
    reason: str
    allowed_by_id: uuid.UUID
    allowed_at: datetime


class QuestionIn(Input):
    """An open question, the answer, whether it agrees with what is known."""

    question: Annotated[Line, Field(examples=["家里人平时怎么称呼他？"])]
    answer: Annotated[Text, Field(max_length=1000)]
    agrees: bool


class DocumentIn(Input):
    """A paper that was seen."""

    kind: KinDocument
    reference: Annotated[Line, Field(max_length=120)] | None = None


class KinIn(Input):
    """A verification of kin. All of it is sealed but kinds and counts."""

    relative: Annotated[Line, Field(max_length=100)]
    relation: Annotated[Line, Field(max_length=40)]
    questions: tuple[QuestionIn, ...]
    documents: tuple[DocumentIn, ...]
    verified: bool
    doubtful: bool = False
    note: Text | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "relative": "韦桂英",
                    "relation": "姐姐",
                    "questions": [
                        {"question": "您家里有没有人走失？", "answer": "弟弟，去年冬天走的", "agrees": True},
                        {"question": "家里人平时怎么称呼他？", "answer": "阿国", "agrees": True},
                    ],
                    "documents": [{"kind": "household_booklet", "reference": "450702-0001"}],
                    "verified": True,
                }
            ]
        }
    )

    def given(self) -> KinEvidence:
        """As the use case takes it."""
        return KinEvidence(
            self.relative,
            self.relation,
            tuple(Question(one.question, one.answer, one.agrees) for one in self.questions),
            tuple(SeenDocument(one.kind, one.reference) for one in self.documents),
            self.verified,
            self.doubtful,
            self.note,
        )


class KinEvidenceOut(Output):
    """The evidence of a verification, opened."""

    relative: str
    relation: str
    questions: tuple[QuestionIn, ...]
    documents: tuple[DocumentIn, ...]
    doubtful: bool
    note: str | None


class KinOut(Output):
    """One verification. `evidence` is null while contact is sealed."""

    id: uuid.UUID
    confirmation_id: uuid.UUID
    result: KinResult
    questions_asked: int
    questions_agreeing: int
    document_kinds: tuple[KinDocument, ...]
    dna_required: bool
    dna_reasons: tuple[DnaReason, ...]
    policy_version: str
    verified_by_id: uuid.UUID
    verified_at: datetime
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    evidence: KinEvidenceOut | None


def script_out(script: ContactScript) -> ScriptOut:
    """The whole script."""

    def lines(given: tuple[object, ...]) -> tuple[SentenceOut, ...]:
        return tuple(SentenceOut.model_validate(one, from_attributes=True) for one in given)

    return ScriptOut(
        version=script.version,
        source=script.source,
        opening=lines(script.opening),
        questions=lines(script.questions),
        never=lines(script.never),
    )


def plan_out(plan: ContactPlan, unit: str) -> PlanOut:
    """A plan with its opened unit."""
    own = {"unit": unit}
    return PlanOut(**own, **{name: getattr(plan, name) for name in PlanOut.model_fields if name not in own})


def screening_out(row: ContactScreening, note: str | None) -> ScreeningOut:
    """A screening with its opened note."""
    return ScreeningOut(
        note=note, **{name: getattr(row, name) for name in ScreeningOut.model_fields if name != "note"}
    )  # fmt: skip


def exception_out(row: ContactException) -> ExceptionOut:
    """All of an exception."""
    return ExceptionOut(id=row.id, reason=row.reason, allowed_by_id=row.allowed_by_id, allowed_at=row.allowed_at)


def kin_out(row: KinVerification, evidence: KinEvidence | None) -> KinOut:
    """A verification with its opened evidence."""
    opened = None
    if evidence is not None:
        opened = KinEvidenceOut(
            relative=evidence.relative,
            relation=evidence.relation,
            questions=tuple(
                QuestionIn(question=one.question, answer=one.answer, agrees=one.agrees) for one in evidence.questions
            ),
            documents=tuple(DocumentIn(kind=one.kind, reference=one.reference) for one in evidence.documents),
            doubtful=evidence.doubtful,
            note=evidence.note,
        )
    own = {"document_kinds": row.documents, "evidence": opened}
    return KinOut(**own, **{name: getattr(row, name) for name in KinOut.model_fields if name not in own})
