"""Interviews (询问、访谈), their recordings, and clues (线索)."""

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, File, Request, Response, UploadFile

from api.deps import NowDep, ServicesDep, SessionDep, ViewerDep, created
from api.idempotency import KeyDep, Once, OnceDep, digest_of
from api.openapi import problems
from api.schemas.base import ItemsOut, items_out
from api.schemas.deadlines import ReasonIn
from api.schemas.interviews import (
    AudioOut,
    ClueIn,
    ClueOut,
    CluesIn,
    InterviewIn,
    InterviewOut,
    audio_out,
    clue_out,
    interview_out,
)
from tracing import clues, interviews
from tracing.audio_format import MEDIA_TYPES
from tracing.cases import get_case
from tracing.interviews import PreparedAudio, prepare_audio

router = APIRouter(tags=["interviews"], responses=problems(403, 404))


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording that was sent, checked before the request's transaction began."""

    prepared: PreparedAudio
    once: Once


def _read(
    request: Request,
    response: Response,
    services: ServicesDep,
    viewer: ViewerDep,
    key: KeyDep,
    audio: Annotated[UploadFile, File(description="WAV, MP3, M4A, 3GP, Ogg, WebM, FLAC or AMR.")],
) -> Recording:
    data = audio.file.read(services.settings.audio.max_bytes + 1)
    return Recording(prepare_audio(data, services.settings), Once(viewer, key, digest_of(request, data), response))


RecordingDep = Annotated[Recording, Depends(_read)]


@router.get("/cases/{case_id}/interviews", summary="The interviews of a case")
def list_all(
    case_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ItemsOut[InterviewOut]:
    """Newest first, with all their clues; withdrawn ones among them."""
    views = interviews.list_interviews(session, services, viewer, case_id, now=now)
    return items_out(interview_out(view) for view in views)


@router.post("/cases/{case_id}/interviews", summary="Record an interview", status_code=201, responses=problems(409))
def record(
    case_id: uuid.UUID,
    body: InterviewIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> InterviewOut:
    """Clues that the search can use become facts at once, and the matching runs again."""
    created(response, f"/api/v1/cases/{case_id}/interviews")
    made = once.earlier(session, now=now)
    if made is None:
        given = [one.given() for one in body.clues]
        made = interviews.record_interview(session, services, viewer, case_id, body.talk(), given, now=now).id
        once.remember(session, made)
    views = interviews.list_interviews(session, services, viewer, case_id, now=now)
    return interview_out(next(view for view in views if view.interview.id == made))


@router.post("/interviews/{interview_id}/withdraw", summary="Take an interview back", responses=problems(409))
def withdraw(
    interview_id: uuid.UUID,
    body: ReasonIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
) -> InterviewOut:
    """Its clues are withdrawn with it, their facts leave the profile; all stays on record."""
    row = interviews.withdraw_interview(session, services, viewer, interview_id, reason=body.reason, now=now)
    views = interviews.list_interviews(session, services, viewer, row.case_id, now=now)
    return interview_out(next(view for view in views if view.interview.id == interview_id))


@router.post(
    "/interviews/{interview_id}/audio", summary="Add a recording", status_code=201, responses=problems(409, 413)
)
def add_audio(
    interview_id: uuid.UUID, recording: RecordingDep, session: SessionDep, services: ServicesDep, now: NowDep
) -> AudioOut:
    """Sealed under the person's key. The same file again is the same recording."""
    once = recording.once
    # Told apart by its digest: a repeated request finds the recording that the first one made.
    once.earlier(session, now=now)
    audio = interviews.add_audio(session, services, once.viewer, interview_id, recording.prepared, now=now)
    once.remember(session, audio.id)
    created(once.response, f"/api/v1/audio/{audio.id}")
    return audio_out(audio)


@router.get(
    "/audio/{audio_id}",
    summary="A recording",
    response_class=Response,
    responses={
        200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}, "description": "The file as it was sent."}
    },
)
def listen(audio_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep) -> Response:
    """Unsealed for this viewer; the listening is on record. Never to be cached."""
    data, kind = interviews.open_audio(session, services, viewer, audio_id, now=now)
    return Response(data, media_type=MEDIA_TYPES[kind])


@router.delete("/audio/{audio_id}", summary="Take a recording out", status_code=204, responses=problems(409))
def remove_audio(
    audio_id: uuid.UUID, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> None:
    """Again is harmless."""
    interviews.remove_audio(session, services, viewer, audio_id, now=now)


@router.get("/cases/{case_id}/clues", summary="The clues of a case")
def list_clues(case_id: uuid.UUID, session: SessionDep, viewer: ViewerDep, now: NowDep) -> ItemsOut[ClueOut]:
    """Newest first, superseded and withdrawn ones among them."""
    case = get_case(session, viewer, case_id, now=now)
    return items_out(clue_out(row) for row in clues.list_clues(session, case.id))


@router.post("/cases/{case_id}/clues", summary="Write clues down", status_code=201, responses=problems(409))
def add_clues(
    case_id: uuid.UUID,
    body: CluesIn,
    session: SessionDep,
    services: ServicesDep,
    viewer: ViewerDep,
    now: NowDep,
    once: OnceDep,
    response: Response,
) -> ItemsOut[ClueOut]:
    """Those that the search can use become facts at once, and the matching runs again."""
    created(response, f"/api/v1/cases/{case_id}/clues")
    earlier = once.earlier(session, now=now)
    if earlier is not None:
        found = clues.list_clues(session, get_case(session, viewer, case_id, now=now).id)
        made = next(((row.recorded_at, row.recorded_by_id) for row in found if row.id == earlier), None)
        return items_out(clue_out(row) for row in found if (row.recorded_at, row.recorded_by_id) == made)
    rows = clues.add_clues(
        session, services, viewer, case_id, [one.given() for one in body.clues],
        interview_id=body.interview_id, heard_at=body.heard_at, now=now,
    )  # fmt: skip
    once.remember(session, rows[0].id)
    return items_out(clue_out(row) for row in rows)


@router.post("/clues/{clue_id}/correct", summary="Correct a clue", status_code=201, responses=problems(409))
def correct(
    clue_id: uuid.UUID, body: ClueIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ClueOut:
    """A new clue in its place; the old one stays on record."""
    return clue_out(clues.correct_clue(session, services, viewer, clue_id, body.given(), now=now))


@router.post("/clues/{clue_id}/withdraw", summary="Take a clue back", responses=problems(409))
def withdraw_clue(
    clue_id: uuid.UUID, body: ReasonIn, session: SessionDep, services: ServicesDep, viewer: ViewerDep, now: NowDep
) -> ClueOut:
    """It stays on record; its fact leaves the profile."""
    return clue_out(clues.withdraw_clue(session, services, viewer, clue_id, reason=body.reason, now=now))
