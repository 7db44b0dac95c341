"""Admission: what is recorded, care without tracing, an identity that was false, and handovers to hospitals."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from matcher.vocabulary import GalleryKind
from models.admission import AdmissionRecord, BiometricBasis, Fingerprints, Guardianship, SafetyCheck
from models.case import SEARCHED, AdmissionKind, Case, CaseState
from models.deadline import Deadline
from models.face import Face
from models.job import Job
from models.notification import Notification, NotificationKind
from models.user import Role
from tests.factories.faces import RED, make_photo_bytes, with_colour_faces
from tests.factories.records import IDENTITY_NUMBER, attach, make_case
from tests.factories.stories import run_jobs, state_of
from tests.factories.world import World
from tracing import admission, handovers
from tracing.access import POLICE, Permission, Viewer
from tracing.admission import Admission, Belonging, Guardian, StatedIdentity
from tracing.admission_errors import AdmissionKindFixed, IdentityNotKnown, StatedIdentityMissing
from tracing.cases import IdentityKnown, ReasonMissing, move_case, submit_case
from tracing.facts import InvalidFacts
from tracing.gallery import gallery_size
from tracing.handovers import HandoverEnded
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services
from tracing.transitions import IllegalMove

KNOWN = Admission(
    AdmissionKind.KNOWN_IDENTITY,
    fingerprint_reason="身份明确",
    identity=StatedIdentity("梁某", IDENTITY_NUMBER, "广西南宁"),
)


def draft(services: Services, staff: Viewer, now: datetime, *, photo: bool = False) -> uuid.UUID:
    with unit_of_work(services.db) as session:
        data = make_photo_bytes(RED) if photo else None
        return make_case(session, services, staff, photo=data, submitted=False, now=now).id


def record(services: Services, staff: Viewer, case_id: uuid.UUID, given: Admission, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        admission.record_admission(session, services, staff, case_id, given, version=None, now=now)


def in_care(services: Services, staff: Viewer, now: datetime, *, photo: bool = False) -> uuid.UUID:
    case_id = draft(services, staff, now)
    record(services, staff, case_id, KNOWN, now)
    with unit_of_work(services.db) as session:
        if photo:
            attach(session, services, staff, GalleryKind.CASE, case_id, now=now)
        admission.take_into_care(session, services, staff, case_id, now=now)
    return case_id


def running(services: Services, case_id: uuid.UUID) -> set[str]:
    with read_only(services.db) as session:
        rows = session.scalars(
            select(Deadline.kind).where(Deadline.case_id == case_id, Deadline.cancelled_at.is_(None))
        )
        return {kind.value for kind in rows}


def test_what_is_missing_is_named_all_at_once(services: Services, staff: Viewer, now: datetime) -> None:
    case_id = draft(services, staff, now)
    given = Admission(
        AdmissionKind.UNKNOWN_IDENTITY, safety_check=SafetyCheck.DONE, fingerprints=Fingerprints.TAKEN, minor=True,
        identity=StatedIdentity("梁某", "110105194912310021"), belongings=(Belonging(" "),),
    )  # fmt: skip
    with pytest.raises(InvalidFacts) as refused:
        record(services, staff, case_id, given, now)
    assert {(one.field, one.slug) for one in refused.value.problems} == {
        ("safety_check", "safety_check_incomplete"), ("basis", "basis_missing"), ("belongings.item", "empty_value"),
        ("guardianship", "guardianship_missing"), ("identity.identity_number", "bad_identity_number"),
    }  # fmt: skip
    with pytest.raises(InvalidFacts) as refused:
        record(services, staff, case_id, Admission(AdmissionKind.UNKNOWN_IDENTITY), now)
    assert [one.slug for one in refused.value.problems] == ["fingerprint_reason_missing"]


def test_a_correction_supersedes_and_what_is_sealed_stays_sealed(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    services, case_id = any_services, draft(any_services, staff, now)
    full = Admission(
        AdmissionKind.UNKNOWN_IDENTITY, safety_check=SafetyCheck.DONE, safety_checked_at=now, safety_checker="陈某",
        findings="随身小刀一把，已代管", belongings=(Belonging("布包", 1, "柜三"), Belonging("钱", 42)),
        fingerprints=Fingerprints.TAKEN, basis=BiometricBasis.STATUTORY_DUTY, minor=True,
        guardianship=Guardianship.UNKNOWN, guardian=Guardian("韦某", "13900000000"),
    )  # fmt: skip
    record(services, staff, case_id, full, now)
    record(services, staff, case_id, Admission(AdmissionKind.UNKNOWN_IDENTITY, fingerprint_reason="器材故障"), now)
    record(services, staff, case_id, full, now + timedelta(minutes=1))
    with read_only(services.db) as session:
        rows = session.scalars(select(AdmissionRecord).where(AdmissionRecord.case_id == case_id)).all()
        assert sorted(row.superseded_at is None for row in rows) == [False, False, True]
        standing = next(row for row in rows if row.superseded_at is None)
        assert "第十三条第一款第三项" in (standing.basis_article or "")
        assert "小刀".encode() not in (standing.findings_sealed or b"")
    with unit_of_work(services.db) as session:
        opened = admission.open_admission(session, services, staff, case_id, now=now)
    assert (opened.findings, opened.belongings[1].quantity) == (full.findings, 42)
    assert opened.guardian == full.guardian
    assert opened.identity is None
    for viewer in world.viewers():
        if not viewer.may(Permission.ADMISSION) or not viewer.path.startswith(world.a.bureau.path):
            with pytest.raises((errors.Forbidden, errors.NotFound)), unit_of_work(services.db) as session:
                admission.open_admission(session, services, viewer, case_id, now=now)


def test_a_known_identity_is_cared_for_and_never_traced(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    services = with_colour_faces(any_services)
    case_id = in_care(services, staff, now, photo=True)
    run_jobs(services, now)
    with read_only(services.db) as session:
        assert gallery_size(session) == 0
        assert session.scalar(select(func.count()).select_from(Face)) == 0  # nobody's face is measured without need
        assert session.scalar(select(func.count()).where(Job.kind == "match")) == 0
    assert running(services, case_id) == set()
    with pytest.raises(IdentityKnown), unit_of_work(services.db) as session:
        submit_case(session, services, staff, case_id, now=now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, case_id, CaseState.LEFT, reason="两天后离站", now=now + timedelta(days=2))
    assert CaseState.LEFT in SEARCHED
    with read_only(services.db) as session:
        assert gallery_size(session) == 0
    with pytest.raises(IdentityKnown), unit_of_work(services.db) as session:
        move_case(session, services, staff, case_id, CaseState.SEARCHING, reason="再找", now=now)
    police = world.viewer(world.a.users[Role.POLICE_EXAMINER])
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        admission.get_admissions(session, police, case_id, now=now)


def test_care_needs_a_stated_identity_and_the_kind_is_fixed_after_the_draft(
    any_services: Services, staff: Viewer, now: datetime
) -> None:
    services, case_id = any_services, draft(any_services, staff, now)
    nameless = Admission(AdmissionKind.KNOWN_IDENTITY, fingerprint_reason="身份明确")
    for given in (None, nameless):
        if given is not None:
            record(services, staff, case_id, given, now)
        with pytest.raises(StatedIdentityMissing), unit_of_work(services.db) as session:
            admission.take_into_care(session, services, staff, case_id, now=now)
    record(services, staff, case_id, KNOWN, now)
    with unit_of_work(services.db) as session:
        admission.take_into_care(session, services, staff, case_id, now=now)
        assert admission.take_into_care(session, services, staff, case_id, now=now).state is CaseState.IN_CARE
    with pytest.raises(StatedIdentityMissing):
        record(services, staff, case_id, nameless, now)
    with pytest.raises(AdmissionKindFixed):
        record(services, staff, case_id, Admission(AdmissionKind.UNKNOWN_IDENTITY, fingerprint_reason="x"), now)


def test_the_clocks_of_tracing_stop_for_a_known_identity_and_run_again_when_it_proves_false(
    any_services: Services, staff: Viewer, now: datetime
) -> None:
    services = with_colour_faces(any_services)
    case_id = draft(services, staff, now)
    assert {"police_report", "police_query", "tracing_notice", "dna_request", "long_stay"} <= running(services, case_id)
    record(services, staff, case_id, KNOWN, now)
    assert running(services, case_id) == set()
    with unit_of_work(services.db) as session:
        attach(session, services, staff, GalleryKind.CASE, case_id, now=now)
        admission.take_into_care(session, services, staff, case_id, now=now)
    later = now + timedelta(days=3)
    with pytest.raises(ReasonMissing), unit_of_work(services.db) as session:
        admission.disprove_identity(session, services, staff, case_id, reason=" ", now=later)
    with unit_of_work(services.db) as session:
        admission.disprove_identity(session, services, staff, case_id, reason="证件为他人所有", now=later)
    assert state_of(services, case_id) is CaseState.SUBMITTED
    with read_only(services.db) as session:
        query = select(Deadline.due_at).where(Deadline.case_id == case_id, Deadline.kind == "police_query")
        assert session.scalars(query).one() == later + timedelta(hours=2)
    run_jobs(services, later)
    assert state_of(services, case_id) in (CaseState.UNRESOLVED, CaseState.IN_REVIEW)
    with read_only(services.db) as session:
        assert gallery_size(session) == 1
        assert session.scalar(select(func.count()).select_from(Face)) == 1
    with pytest.raises(IdentityNotKnown), unit_of_work(services.db) as session:
        admission.disprove_identity(session, services, staff, case_id, reason="again", now=later)


@pytest.mark.parametrize(
    ("state", "after"),
    [(CaseState.LEFT, CaseState.SEARCHING), (CaseState.DECEASED, None)],
)
def test_from_where_an_identity_is_disproved(
    services: Services, staff: Viewer, now: datetime, state: CaseState, after: CaseState | None
) -> None:
    case_id = in_care(services, staff, now)
    with unit_of_work(services.db) as session:
        move_case(session, services, staff, case_id, state, reason="测试", now=now)
    if after is None:
        with pytest.raises(IllegalMove), unit_of_work(services.db) as session:
            admission.disprove_identity(session, services, staff, case_id, reason="他人证件", now=now)
        return
    with unit_of_work(services.db) as session:
        case = admission.disprove_identity(session, services, staff, case_id, reason="他人证件", now=now)
        assert (case.state, case.traced) == (after, True)


def test_the_hospital_comes_first_and_the_search_goes_on(
    any_services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    services, case_id = any_services, draft(any_services, staff, now)
    doctor = world.viewer(world.a.users[Role.HEALTH_LIAISON])
    abroad = world.viewer(world.b.users[Role.HEALTH_LIAISON])
    with pytest.raises(InvalidFacts), unit_of_work(services.db) as session:
        handovers.hand_over(
            session, services, staff, case_id, world.a.station.id, officer="陈某", complaint="水肿",
            handed_at=now, now=now,
        )  # fmt: skip
    with unit_of_work(services.db) as session:
        made = handovers.hand_over(
            session, services, staff, case_id, world.a.health.id, officer="陈某", complaint="肾衰竭，下肢水肿",
            handed_at=now, now=now,
        )  # fmt: skip
        submit_case(session, services, staff, case_id, now=now)
    with read_only(services.db) as session:
        told = session.scalars(select(Notification.recipient_id).where(Notification.object_id == made.id)).all()
    assert told == [doctor.user_id]
    with unit_of_work(services.db) as session:
        assert handovers.list_of_hospital(session, services, abroad, now=now).items == ()
        (view,) = handovers.list_of_hospital(session, services, doctor, now=now).items
        assert view.complaint == "肾衰竭，下肢水肿"
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        handovers.receive(session, services, abroad, made.id, ward=None, received_at=now, now=now)
    with unit_of_work(services.db) as session:
        handovers.receive(session, services, doctor, made.id, ward="肾内科", received_at=now, now=now)
    with pytest.raises(HandoverEnded), unit_of_work(services.db) as session:
        handovers.receive(session, services, doctor, made.id, ward=None, received_at=now, now=now)
    with unit_of_work(services.db) as session:
        handovers.withdraw_handover(session, services, staff, made.id, reason="登记到他人名下", now=now)
        (view,) = handovers.list_of_case(session, services, staff, case_id, now=now)
        assert view.handover.withdrawal_reason == "登记到他人名下"
        readers = [one for one in world.viewers() if one.role in (*POLICE, Role.CASEWORKER, Role.BUREAU_SUPERVISOR)]
        told_what = {
            reader.role: handovers.list_of_case(session, services, reader, case_id, now=now)[0].complaint
            for reader in readers
            if staff.path.startswith(reader.jurisdiction)
        }
    assert {role for role, complaint in told_what.items() if complaint} == {Role.CASEWORKER, Role.BUREAU_SUPERVISOR}
    assert told_what.keys() >= POLICE
    with read_only(services.db) as session:
        kinds = session.scalars(select(Notification.kind).where(Notification.recipient_id == staff.user_id)).all()
        assert kinds == [NotificationKind.REFERRAL_ANSWERED]
        assert session.get_one(Case, case_id).state is CaseState.SUBMITTED
