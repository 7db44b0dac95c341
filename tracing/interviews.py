"""Interviews (询问、访谈): the log, its clues, its sealed recordings."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from matcher import divisions
from models.case import Case
from models.clue import Clue, ClueConfidence, ClueKind
from models.interview import AudioFormat, Interview, InterviewAudio, InterviewMethod
from models.profile import Profile
from tracing.access import Viewer
from tracing.audio_format import audio_format
from tracing.cases import check_reason, load_case
from tracing.clues import ClueText, InterviewEnded, add_clues, check_clues, end, follow, open_case
from tracing.facts import InvalidFacts, check_division, check_optional_text, collecting
from tracing.milestones import check_moment
from tracing.platform import errors
from tracing.platform.settings import Settings
from tracing.services import Services
from tracing.trail import note

NOTES_LIMIT = 20_000


class AudioRefused(errors.Invalid):
    """A file that is not taken in."""

    slug = "audio_refused"


class AudioEmpty(AudioRefused):
    """No bytes."""

    slug = "audio_empty"
    message = "The recording is empty. Choose the file again."


class AudioTooLarge(AudioRefused):
    """Too many bytes."""

    slug = "audio_too_large"
    message = "The recording is larger than {max_megabytes} MB. Send it in parts, or more strongly compressed."


class AudioUnknownFormat(AudioRefused):
    """Not an audio file of a known format."""

    slug = "audio_unknown_format"
    message = "This file is no recording that can be kept. WAV, MP3, M4A, 3GP, Ogg, WebM, FLAC and AMR are accepted."


class TooManyRecordings(errors.Conflict):
    """The interview has as many recordings as are kept."""

    slug = "too_many_recordings"
    message = "An interview has at most {limit} recordings. Remove one before you add another."


@dataclass(frozen=True, slots=True)
class Talk:
    """An interview as it is given. `accent`: the division whose accent was heard; `language` in plain words."""

    held_at: datetime
    method: InterviewMethod
    place: str | None = None
    interviewers: str | None = None
    language: str | None = None
    accent: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PreparedAudio:
    """A recording after its checks."""

    data: bytes
    format: AudioFormat


@dataclass(frozen=True, slots=True)
class InterviewView:
    """An interview with its notes opened, its recordings loaded, and all its clues, newest first."""

    interview: Interview
    notes: str | None
    clues: tuple[Clue, ...]

    @property
    def recordings(self) -> list[InterviewAudio]:
        """Those that were not removed."""
        return [one for one in self.interview.recordings if one.removed_at is None]


def notes_purpose(interview_id: uuid.UUID) -> str:
    """Purpose under which the vault seals an interview's notes."""
    return f"interview:{interview_id}"


def audio_purpose(audio_id: uuid.UUID) -> str:
    """Purpose under which the vault seals a recording."""
    return f"audio:{audio_id}"


def _check(talk: Talk, clues: Sequence[ClueText], now: datetime) -> tuple[Talk, list[ClueText]]:
    problems: list[errors.Invalid] = []
    with collecting(problems):
        check_moment(talk.held_at, now=now, field="held_at")
    with collecting(problems):
        check_division(talk.accent, field="accent")
    texts: dict[str, str | None] = {}
    for name, limit in (("place", 200), ("interviewers", 200), ("language", 80), ("notes", NOTES_LIMIT)):
        with collecting(problems):
            texts[name] = check_optional_text(getattr(talk, name), field=name, limit=limit)
    checked: list[ClueText] = []
    with collecting(problems):
        checked = check_clues(clues)
    if problems:
        raise InvalidFacts(tuple(problems))
    if talk.accent is not None and not any(one.kind is ClueKind.DIALECT for one in checked):
        heard = f"口音：{divisions.full_name(talk.accent)}"
        checked.append(ClueText(ClueKind.DIALECT, heard, ClueConfidence.LIKELY, divisions.normalise(talk.accent)))
    return Talk(talk.held_at, talk.method, accent=talk.accent, **texts), checked


def _interview(
    session: Session, services: Services, viewer: Viewer, case: Case, talk: Talk, now: datetime
) -> Interview:
    identity, subject_id = uuid.uuid4(), case.profile.subject_id
    sealed = (
        services.vault.seal(session, subject_id, notes_purpose(identity), talk.notes.encode()) if talk.notes else None
    )
    return Interview(
        id=identity,
        case_id=case.id,
        held_at=talk.held_at,
        method=talk.method,
        place=talk.place,
        interviewers=talk.interviewers,
        language=talk.language,
        accent=talk.accent,
        notes_sealed=sealed,
        recorded_by_id=viewer.user_id,
        recorded_at=now,
        recordings=[],
    )


def record_interview(
    session: Session,
    services: Services,
    viewer: Viewer,
    case_id: uuid.UUID,
    talk: Talk,
    clues: Sequence[ClueText] = (),
    *,
    now: datetime,
) -> Interview:
    """Record an interview with its clues; profile and search follow in the same transaction.

    An interview that brought nothing is recorded too. An accent that was heard becomes a clue of its own unless one is
    given. Raises Forbidden, NotFound, CaseClosed, InvalidFacts.
    """
    case = open_case(session, viewer, case_id)
    talk, checked = _check(talk, clues, now)
    interview = _interview(session, services, viewer, case, talk, now)
    session.add(interview)
    session.flush()
    note(session, viewer, "interview.record", "case", case.id, at=now, interview=interview.id, clues=len(checked))
    if checked:
        add_clues(
            session, services, viewer, case.id, checked, interview_id=interview.id, heard_at=talk.held_at, now=now
        )
    return interview


def withdraw_interview(
    session: Session, services: Services, viewer: Viewer, interview_id: uuid.UUID, *, reason: str, now: datetime
) -> Interview:
    """Take back an interview that belongs elsewhere, and its clues with it; all stays on record.

    Raises Forbidden, NotFound, CaseClosed, InterviewEnded, ReasonMissing.
    """
    interview, case = _for_writing(session, viewer, interview_id)
    reason = check_reason(reason)
    end(interview, viewer, reason, now)
    clues = list(
        session.scalars(
            select(Clue).where(
                Clue.interview_id == interview.id, Clue.superseded_at.is_(None), Clue.withdrawn_at.is_(None)
            )
        )
    )
    for clue in clues:
        end(clue, viewer, reason, now)
    session.flush()
    note(session, viewer, "interview.withdraw", "case", case.id, at=now, interview=interview.id, clues=len(clues))
    follow(session, services, viewer, case, gone=clues, come=[], now=now)
    return interview


def list_interviews(
    session: Session, services: Services, viewer: Viewer, case_id: uuid.UUID, *, now: datetime
) -> list[InterviewView]:
    """The interviews of a case, newest first, notes opened; the look is logged. Raises NotFound outside the scope."""
    case = load_case(session, viewer, case_id)
    found = session.scalars(
        select(Interview)
        .where(Interview.case_id == case.id)
        .options(selectinload(Interview.recordings))
        .order_by(Interview.held_at.desc(), Interview.id)
        .execution_options(populate_existing=True)
    ).all()
    clues = session.scalars(
        select(Clue).where(Clue.case_id == case.id).order_by(Clue.recorded_at.desc(), Clue.id)
    ).all()
    note(session, viewer, "interview.list", "case", case.id, at=now, count=len(found))
    return [
        InterviewView(
            one, _notes(session, services, case, one), tuple(clue for clue in clues if clue.interview_id == one.id)
        )
        for one in found
    ]


def _notes(session: Session, services: Services, case: Case, interview: Interview) -> str | None:
    if interview.notes_sealed is None:
        return None
    subject_id, purpose = case.profile.subject_id, notes_purpose(interview.id)
    return services.vault.open(session, subject_id, purpose, interview.notes_sealed).decode()


def _for_writing(session: Session, viewer: Viewer, interview_id: uuid.UUID) -> tuple[Interview, Case]:
    case_id = session.scalar(select(Interview.case_id).where(Interview.id == interview_id))
    if case_id is None:
        raise errors.NotFound()
    case = open_case(session, viewer, case_id)
    interview = session.get_one(Interview, interview_id, populate_existing=True)
    if interview.withdrawn_at is not None:
        raise InterviewEnded()
    return interview, case


def prepare_audio(data: bytes, settings: Settings) -> PreparedAudio:
    """Check a recording; touches no database. Raises an AudioRefused."""
    limit = settings.audio.max_bytes
    if not data:
        raise AudioEmpty(field="audio")
    if len(data) > limit:
        raise AudioTooLarge(field="audio", max_megabytes=limit // 2**20)
    found = audio_format(data)
    if found is None:
        raise AudioUnknownFormat(field="audio")
    return PreparedAudio(data, found)


def add_audio(
    session: Session,
    services: Services,
    viewer: Viewer,
    interview_id: uuid.UUID,
    prepared: PreparedAudio,
    *,
    now: datetime,
) -> InterviewAudio:
    """Seal a recording and keep it with its interview; the same file again is the same row.

    Raises Forbidden, NotFound, CaseClosed, InterviewEnded, TooManyRecordings.
    """
    interview, case = _for_writing(session, viewer, interview_id)
    subject_id = case.profile.subject_id
    digest = services.vault.digest(session, subject_id, prepared.data)
    present = session.scalars(
        select(InterviewAudio).where(InterviewAudio.interview_id == interview.id, InterviewAudio.digest == digest)
    ).one_or_none()
    if present is not None and present.removed_at is None:
        return present
    kept = select(func.count()).where(InterviewAudio.interview_id == interview.id, InterviewAudio.removed_at.is_(None))
    limit = services.settings.audio.max_per_interview
    if (session.scalar(kept) or 0) >= limit:
        raise TooManyRecordings(field="audio", limit=limit)
    audio = present or InterviewAudio(
        id=uuid.uuid4(), interview_id=interview.id, digest=digest, format=prepared.format,
        bytes_stored=len(prepared.data), added_by_id=viewer.user_id, added_at=now,
    )  # fmt: skip
    audio.removed_at = None
    # The blob before the row: a crash in between leaves a blob that no row names.
    services.store.put(str(audio.id), services.vault.seal(session, subject_id, audio_purpose(audio.id), prepared.data))
    session.add(audio)
    session.flush()
    note(session, viewer, "audio.add", "audio", audio.id, at=now, interview=interview.id, bytes=audio.bytes_stored)
    return audio


def open_audio(
    session: Session, services: Services, viewer: Viewer, audio_id: uuid.UUID, *, now: datetime
) -> tuple[bytes, AudioFormat]:
    """A recording, opened for somebody who may see its case; logged. Raises NotFound, also for one that was removed."""
    audio, case = _audio(session, viewer, audio_id)
    if audio.removed_at is not None:
        raise errors.NotFound()
    subject_id = session.scalars(select(Profile.subject_id).where(Profile.id == case.profile_id)).one()
    data = services.vault.open(session, subject_id, audio_purpose(audio.id), services.store.get(str(audio.id)))
    note(session, viewer, "audio.listen", "audio", audio.id, at=now, interview=audio.interview_id)
    return data, audio.format


def remove_audio(session: Session, services: Services, viewer: Viewer, audio_id: uuid.UUID, *, now: datetime) -> None:
    """Take a recording out; again does nothing. Like a photograph, its sealed file is kept until retention ends."""
    audio, case = _audio(session, viewer, audio_id)
    open_case(session, viewer, case.id)
    if audio.removed_at is not None:
        return
    audio.removed_at = now
    session.flush()
    note(session, viewer, "audio.remove", "audio", audio.id, at=now, interview=audio.interview_id)


def _audio(session: Session, viewer: Viewer, audio_id: uuid.UUID) -> tuple[InterviewAudio, Case]:
    row = session.execute(
        select(InterviewAudio, Interview.case_id)
        .join(Interview, Interview.id == InterviewAudio.interview_id)
        .where(InterviewAudio.id == audio_id)
    ).one_or_none()
    if row is None:
        raise errors.NotFound()
    audio, case_id = row
    return audio, load_case(session, viewer, case_id)
