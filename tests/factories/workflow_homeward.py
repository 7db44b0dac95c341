"""Rules of the workflow machine: release, contact, kin, papers and how a stay ends."""

import uuid
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy.orm import Session

from models.contact import ContactChannel, ContactResult, DangerScreen, PersonWish
from models.outcome import OutcomeKind, OutcomeRoute
from tests.factories import workflow_oracle as oracle
from tests.factories.stories import KIN, papers_for
from tests.factories.workflow_ground import CASES, POLICE, Ground
from tracing import contact, dossier, kin, outcomes, screenings
from tracing.platform.db import read_only

# Weighed: endings come rarely, or few runs get as far as a family.
ENDS = (OutcomeKind.HOSPITAL, OutcomeKind.REUNITED) * 6 + tuple(OutcomeKind)
WISHES = (PersonWish.WANTS_CONTACT,) * 4 + tuple(PersonWish)
DANGERS = (DangerScreen.NO_SIGN,) * 4 + tuple(DangerScreen)


class HomewardRules(Ground):
    """What caseworkers do, and the police who release."""

    @rule(police=POLICE, case=CASES, wish=st.sampled_from(PersonWish), danger=st.sampled_from(DangerScreen))
    def release(self, police: int, case: int, wish: PersonWish, danger: DangerScreen) -> None:
        """Release of contact."""
        case_id = self.case(case)
        made = self.attempt(
            lambda s: contact.release_contact(s, self.police[police], case_id, wish, danger, now=self.now)
        )
        assert made is None or (wish is not PersonWish.OBJECTS and danger is not DangerScreen.SUSPECTED)

    @rule(case=CASES)
    def read_contact(self, case: int) -> None:
        """The family's details."""
        case_id = self.case(case)
        made = self.attempt(
            lambda s: contact.read_family_contact(s, self.services, self.caseworker, case_id, now=self.now)
        )
        if made is not None:
            with read_only(self.services.db) as session:
                assert oracle.contact_is_released(session, case_id), "the family's details were read before release"
                assert not oracle.contact_is_stopped(session, case_id), "they were read against the person's wish"

    @rule(case=CASES, result=st.sampled_from((ContactResult.REACHED, ContactResult.NO_ANSWER)))
    def call(self, case: int, result: ContactResult) -> None:
        """A call to the family."""
        case_id = self.case(case)
        made = self.attempt(
            lambda s: contact.record_attempt(
                s, self.services, self.caseworker, case_id, ContactChannel.LOCAL_POLICE, result,
                note_text=None, attempted_at=self.now, now=self.now,
            )
        )  # fmt: skip
        if made is not None:
            with read_only(self.services.db) as session:
                assert oracle.contact_is_released(session, case_id), "the family was called before release"
                assert not oracle.contact_is_stopped(session, case_id), (
                    "the family was called against the person's wish"
                )

    @rule(case=CASES, kind=st.sampled_from(ENDS))
    def end(self, case: int, kind: OutcomeKind) -> None:
        """An outcome."""
        case_id, day = self.case(case), self.services.local_day(self.now)
        self.attempt(
            lambda s: outcomes.record_outcome(
                s, self.services, self.caseworker, case_id, kind, OutcomeRoute.DNA,
                occurred_on=day, note_text=None, papers=papers_for(self.services, kind, self.now), now=self.now,
            )
        )  # fmt: skip

    @rule(case=CASES, late=st.booleans())
    def unend(self, case: int, *, late: bool) -> None:
        """The newest outcome taken back, now and then that of a case that has ended."""
        case_id = self.ended_case(case) if late else self.case(case)
        with read_only(self.services.db) as session:
            outcome_id = oracle.standing_outcome(session, case_id) or uuid.UUID(int=0)
        self.attempt(
            lambda s: outcomes.withdraw_outcome(
                s, self.services, self.caseworker, outcome_id, reason="随机", now=self.now
            )
        )

    @rule(case=CASES, verified=st.booleans(), doubtful=st.booleans())
    def verify(self, case: int, verified: bool, doubtful: bool) -> None:
        """A verification of kin, with or without a doubt that only DNA settles."""
        case_id, given = self.case(case), replace(KIN, verified=verified, doubtful=doubtful)
        self.attempt(lambda s: kin.verify_kin(s, self.services, self.caseworker, case_id, given, now=self.now))

    @rule(case=CASES)
    def unverify(self, case: int) -> None:
        """Every verification of the case withdrawn."""
        case_id = self.case(case)
        page = self.attempt(lambda s: kin.list_kin(s, self.services, self.caseworker, case_id, now=self.now))
        for one, _ in page.items if page else ():
            self.attempt(
                lambda s, which=one.id: kin.withdraw_kin(  # type: ignore[misc]
                    s, self.caseworker, which, reason="随机", now=self.now
                )
            )

    @rule(case=CASES, police=st.booleans(), wish=st.sampled_from(WISHES), danger=st.sampled_from(DANGERS))
    def screen(self, case: int, police: bool, wish: PersonWish, danger: DangerScreen) -> None:
        """The wish and the danger, asked again."""
        case_id, viewer = self.case(case), self.police[0] if police else self.caseworker
        self.attempt(
            lambda s: screenings.record_screening(
                s, self.services, viewer, case_id, wish, danger,
                asked_on=self.services.local_day(self.now), note_text=None, now=self.now,
            )
        )  # fmt: skip

    @rule(case=CASES)
    def paper(self, case: int) -> None:
        """The next paper of the dossier."""
        case_id = self.case(case)

        def tick(session: Session) -> None:
            for item in dossier.missing_papers(session, self.services, case_id)[:4]:
                dossier.tick_paper(
                    session, self.services, self.staff, case_id, item,
                    done_on=self.services.local_day(self.now), reference=None, now=self.now,
                )  # fmt: skip

        self.attempt(tick)
