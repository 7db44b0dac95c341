"""Kin: what verifies them, when DNA has to, what is sealed, and that nobody is handed over before."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from models.case import CaseState
from models.claim import ClaimMethod
from models.contact import ContactChannel, ContactResult, DangerScreen, PersonWish
from models.kin import DnaReason, KinResult, KinVerification
from models.outcome import OutcomeKind, OutcomeRoute
from models.report import Report
from models.user import Role
from tests.factories.stories import KIN, Story, examiners, judged_case, kin_verified, papers_for, state_of
from tests.factories.world import World
from tracing import claims, contact, contact_plans, kin, screenings
from tracing.access import Permission, Viewer
from tracing.cases import ReasonMissing
from tracing.claim_gate import ClaimsConflict
from tracing.claims import ClaimResult, record_claim
from tracing.confirmation import recall
from tracing.contact import ContactSealed
from tracing.facts import InvalidFacts
from tracing.kin import KinEvidence, KinNotVerified
from tracing.outcomes import record_outcome
from tracing.platform import errors
from tracing.platform.db import unit_of_work
from tracing.services import Services

HOME = (OutcomeKind.REUNITED, OutcomeKind.ESCORTED_HOME)


@pytest.fixture
def story(any_services: Services, world: World, now: datetime) -> Story:
    """A case whose family was reached."""
    return judged_case(any_services, world, CaseState.FAMILY_CONTACTED, now=now)


def verify(
    services: Services, viewer: Viewer, story: Story, now: datetime, given: KinEvidence = KIN
) -> KinVerification:  # fmt: skip
    with unit_of_work(services.db) as session:
        return kin.verify_kin(session, services, viewer, story.case_id, given, now=now)


def hand_over(services: Services, viewer: Viewer, story: Story, now: datetime, kind: OutcomeKind) -> None:
    with unit_of_work(services.db) as session:
        record_outcome(
            session, services, viewer, story.case_id, kind, OutcomeRoute.FACE, occurred_on=services.local_day(now),
            note_text=None, papers=papers_for(services, kind, now), now=now,
        )  # fmt: skip


@pytest.mark.parametrize("kind", HOME)
def test_nobody_is_handed_over_before_the_kin_are_verified(
    any_services: Services, story: Story, caseworker: Viewer, kind: OutcomeKind, now: datetime
) -> None:
    with pytest.raises(KinNotVerified):
        hand_over(any_services, caseworker, story, now, kind)
    made = verify(any_services, caseworker, story, now, replace(KIN, verified=False))
    assert made.result is KinResult.NOT_VERIFIED
    with pytest.raises(KinNotVerified):
        hand_over(any_services, caseworker, story, now, kind)
    verified = verify(any_services, caseworker, story, now)
    with unit_of_work(any_services.db) as session:
        kin.withdraw_kin(session, caseworker, verified.id, reason="认错人", now=now)
    with pytest.raises(KinNotVerified):
        hand_over(any_services, caseworker, story, now, kind)
    verify(any_services, caseworker, story, now)
    hand_over(any_services, caseworker, story, now, kind)
    assert state_of(any_services, story.case_id) is CaseState.REUNIFIED


def test_what_verified_needs(services: Services, world: World, caseworker: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.FAMILY_CONTACTED, now=now)
    first, second = KIN.questions
    with pytest.raises(kin.QuestionsMissing):
        verify(services, caseworker, story, now, replace(KIN, questions=(first,)))
    with pytest.raises(kin.QuestionsMissing):
        verify(services, caseworker, story, now, replace(KIN, questions=(first, replace(second, agrees=False))))
    with pytest.raises(kin.DocumentsMissing):
        verify(services, caseworker, story, now, replace(KIN, documents=()))
    with pytest.raises(InvalidFacts) as refused:
        verify(services, caseworker, story, now, replace(KIN, relative=" ", questions=(replace(first, answer=""),)))
    assert {one.field for one in refused.value.problems} == {"relative", "questions.0.answer"}
    with pytest.raises(InvalidFacts):
        verify(services, caseworker, story, now, replace(KIN, questions=(first,) * 21))


def test_a_doubtful_kinship_is_shown_by_dna(
    any_services: Services, world: World, story: Story, caseworker: Viewer, now: datetime
) -> None:
    doubtful = replace(KIN, doubtful=True)
    with pytest.raises(kin.DnaMissing):
        verify(any_services, caseworker, story, now, doubtful)
    result = ClaimResult(
        ClaimMethod.DNA, date(2026, 3, 1), "王警官", story.candidate, reference="D-1", custody="采血，市局物证所"
    )  # fmt: skip
    with unit_of_work(any_services.db) as session:
        record_claim(session, any_services, examiners(world)[0], story.case_id, result, now=now)
    made = verify(any_services, caseworker, story, now, doubtful)
    assert (made.dna_required, made.dna_reasons) == (True, [DnaReason.DOUBTFUL_KINSHIP.value])


def test_a_verification_by_dna_falls_with_the_dna(
    any_services: Services, world: World, story: Story, caseworker: Viewer, now: datetime
) -> None:
    police = examiners(world)[0]
    result = ClaimResult(
        ClaimMethod.DNA, date(2026, 3, 1), "王警官", story.candidate, reference="D-1", custody="采血，市局物证所"
    )  # fmt: skip
    with unit_of_work(any_services.db) as session:
        claim = record_claim(session, any_services, police, story.case_id, result, now=now)
    verify(any_services, caseworker, story, now, replace(KIN, doubtful=True))
    with unit_of_work(any_services.db) as session:
        claims.withdraw_claim(session, police, claim.id, reason="样本弄混", now=now)
    with pytest.raises(KinNotVerified):
        hand_over(any_services, caseworker, story, now, OutcomeKind.REUNITED)


def test_a_result_on_somebody_else_stops_the_way_home_after_the_release(
    any_services: Services, world: World, story: Story, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    verify(any_services, caseworker, story, now)
    other = ClaimResult(
        ClaimMethod.FINGERPRINT, date(2026, 3, 1), "王警官", name="李某", identity_number="11010519491231002X",
        reference="F-1",
    )  # fmt: skip
    with unit_of_work(any_services.db) as session:
        claim = record_claim(session, any_services, examiners(world)[0], story.case_id, other, now=now)
    with pytest.raises(ClaimsConflict):
        hand_over(any_services, caseworker, story, now, OutcomeKind.REUNITED)
    with pytest.raises(ClaimsConflict):
        verify(any_services, caseworker, story, now)
    with pytest.raises(ClaimsConflict), unit_of_work(any_services.db) as session:
        contact.record_attempt(
            session, any_services, caseworker, story.case_id, ContactChannel.LOCAL_POLICE, ContactResult.REACHED,
            note_text=None, attempted_at=now, now=now,
        )  # fmt: skip
    with pytest.raises(ClaimsConflict), unit_of_work(any_services.db) as session:
        contact_plans.make_plan(
            session, any_services, caseworker, story.case_id, ContactChannel.LOCAL_POLICE,
            unit="钦州市公安局", call_back_number="0777-1234567", now=now,
        )  # fmt: skip
    with unit_of_work(any_services.db) as session:
        claims.settle_claim(session, supervisor, claim.id, reason="指纹为他人所留", now=now)
    hand_over(any_services, caseworker, story, now, OutcomeKind.REUNITED)


def test_dna_after_a_long_absence_and_for_those_who_cannot_consent(
    any_services: Services, world: World, story: Story, caseworker: Viewer, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        screenings.record_screening(
            session, any_services, caseworker, story.case_id, PersonWish.CANNOT_EXPRESS, DangerScreen.NO_SIGN,
            asked_on=any_services.local_day(now), note_text=None, now=now,
        )  # fmt: skip
        session.get_one(Report, story.report_id).last_seen_on = date(2016, 3, 1)
    made = verify(any_services, caseworker, story, now, replace(KIN, verified=False))
    assert set(made.dna_reasons) == {DnaReason.CANNOT_CONSENT.value, DnaReason.LONG_ABSENCE.value}
    with pytest.raises(kin.DnaMissing):
        verify(any_services, caseworker, story, now)


@pytest.mark.parametrize(("seen", "wanted"), [(date(2016, 3, 10), False), (date(2016, 3, 1), True)])
def test_ten_years_are_a_long_absence(
    services: Services, world: World, caseworker: Viewer, seen: date, wanted: bool, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.FAMILY_CONTACTED, now=now)
    with unit_of_work(services.db) as session:
        session.get_one(Report, story.report_id).last_seen_on = seen
    assert verify(services, caseworker, story, now, replace(KIN, verified=False)).dna_required is wanted


def test_the_evidence_is_sealed_and_read_by_the_caseworker_alone(
    any_services: Services, world: World, story: Story, caseworker: Viewer, supervisor: Viewer, now: datetime
) -> None:
    made = verify(any_services, caseworker, story, now)
    assert "阿国".encode() not in made.evidence_sealed
    with unit_of_work(any_services.db) as session:
        [(row, opened)] = kin.list_kin(session, any_services, caseworker, story.case_id, now=now).items
    assert (row.id, opened) == (made.id, KIN)
    for viewer in world.viewers():
        if not viewer.may(Permission.CONTACT):
            with pytest.raises(errors.Forbidden):
                verify(any_services, viewer, story, now)
    with pytest.raises(errors.NotFound):
        verify(any_services, world.viewer(world.b.users[Role.CASEWORKER]), story, now)
    with unit_of_work(any_services.db) as session:
        recall(session, any_services, supervisor, story.case_id, reason="DNA 不符", now=now)
    with unit_of_work(any_services.db) as session:
        [(_, sealed)] = kin.list_kin(session, any_services, caseworker, story.case_id, now=now).items
    assert sealed is None


def test_a_withdrawal_says_why_and_is_made_once(
    services: Services, world: World, caseworker: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.FAMILY_CONTACTED, now=now)
    made = verify(services, caseworker, story, now)

    def withdraw(reason: str) -> None:
        with unit_of_work(services.db) as session:
            kin.withdraw_kin(session, caseworker, made.id, reason=reason, now=now)

    with pytest.raises(ReasonMissing):
        withdraw(" ")
    withdraw("认错人")
    with pytest.raises(kin.KinEnded):
        withdraw("认错人")


@pytest.mark.parametrize("state", [CaseState.IN_REVIEW, CaseState.IDENTIFIED, CaseState.RECALLED])
def test_nothing_is_verified_while_contact_is_sealed(
    services: Services, world: World, caseworker: Viewer, state: CaseState, now: datetime
) -> None:
    story = judged_case(services, world, state, now=now)
    with pytest.raises(ContactSealed):
        kin_verified(services, world, story.case_id, now=now)
