"""Rules of the workflow machine: the street (sightings, lookouts), people of known identity, duplicates."""

import uuid

from hypothesis import strategies as st
from hypothesis.stateful import rule

from matcher.vocabulary import GalleryKind
from models.admission import Fingerprints
from models.case import AdmissionKind, CaseState
from models.duplicate import DuplicateVerdict
from models.lookout import LookoutEnd
from models.outcome import OutcomeKind
from tests.factories import workflow_oracle as oracle
from tests.factories.faces import RED
from tests.factories.network import seen, sighting_in
from tests.factories.records import make_case
from tests.factories.stories import run_jobs
from tests.factories.workflow_ground import CASES, POLICE, Ground
from tracing import admission, cases, duplicates, lookouts, outcomes
from tracing.admission import Admission, StatedIdentity
from tracing.lookout_answers import answer_lookout
from tracing.platform.db import read_only
from tracing.sighted_cases import admit_sighted
from tracing.sightings import withdraw_sighting

NOTHING = uuid.UUID(int=0)
KNOWN = Admission(
    AdmissionKind.KNOWN_IDENTITY, fingerprints=Fingerprints.NOT_TAKEN, fingerprint_reason="身份明确",
    identity=StatedIdentity("黄某"),
)  # fmt: skip
ENDINGS = (LookoutEnd.FOUND,) * 3 + tuple(LookoutEnd)


class NetworkRules(Ground):
    """What liaisons and stations do before, beside and around the search for a name."""

    def _last(self, ids: list[uuid.UUID]) -> uuid.UUID:
        return ids[-1] if ids else NOTHING

    @rule(liaison=st.booleans())
    def sight(self, liaison: bool) -> None:
        """A sighting with a photograph."""
        viewer = self.liaison if liaison else self.staff
        made = self.attempt(lambda s: sighting_in(s, self.services, viewer, self.now, RED))
        if made is not None:
            self.sightings.append(made.id)

    @rule(case=CASES, of_case=st.booleans())
    def look_out(self, case: int, of_case: bool) -> None:
        """A lookout for who was seen, or for a case who has gone."""
        sighting = None if of_case else self._last(self.sightings)
        case_id = self.case(case) if of_case else None
        made = self.attempt(
            lambda s: lookouts.open_lookout(
                s, self.services, self.staff, sighting_id=sighting, case_id=case_id, words="灰色外套", now=self.now
            )
        )
        if made is not None:
            self.lookouts.append(made.id)

    @rule(somebody=st.booleans())
    def answer(self, somebody: bool) -> None:
        """An answer to the newest lookout."""
        lookout_id, what = self._last(self.lookouts), seen(self.now) if somebody else None
        made = self.attempt(lambda s: answer_lookout(s, self.services, self.liaison, lookout_id, what, now=self.now))
        if made is not None and made.sighting_id is not None:
            self.sightings.append(made.sighting_id)

    @rule(kind=st.sampled_from(ENDINGS), case=CASES, named=st.booleans())
    def end_lookout(self, kind: LookoutEnd, case: int, named: bool) -> None:
        """The newest lookout ends."""
        lookout_id, case_id = self._last(self.lookouts), self.case(case) if named else None
        self.attempt(
            lambda s: lookouts.end_lookout(
                s, self.services, self.staff, lookout_id, kind, reason="随机", case_id=case_id, now=self.now
            )
        )

    @rule()
    def see_lookout(self) -> None:
        """A liaison opens the newest lookout, and its photograph."""
        lookout_id = self._last(self.lookouts)
        shown = self.attempt(lambda s: lookouts.get_lookout(s, self.services, self.liaison, lookout_id, now=self.now))
        photo = self.attempt(
            lambda s: lookouts.open_lookout_photo(s, self.services, self.liaison, lookout_id, now=self.now)
        )
        with read_only(self.services.db) as session:
            if not oracle.lookout_is_open(session, lookout_id):
                assert photo is None, "the photograph of an ended lookout was opened"
                assert shown is None or shown.words is None, "the words of an ended lookout were opened"

    @rule(liaison=st.booleans())
    def look_for(self, liaison: bool) -> None:
        """Somebody seen, looked for, seen again and found; a liaison looks before and after."""
        self.sight(liaison)
        self.look_out(0, of_case=False)
        self.answer(somebody=True)
        self.see_lookout()
        self.end_lookout(LookoutEnd.FOUND, 0, named=False)
        self.see_lookout()

    @rule()
    def admit_seen(self) -> None:
        """The newest sighting becomes a case, while fewer than two are open."""
        with read_only(self.services.db) as session:
            if len(oracle.open_cases(session, self.cases)) >= 2:
                return
        sighting = self._last(self.sightings)
        made = self.attempt(lambda s: admit_sighted(s, self.services, self.staff, sighting, now=self.now))
        if made is not None:
            self.cases.append(made.id)
            self.attempt(lambda s: cases.submit_case(s, self.services, self.staff, made.id, now=self.now))
            run_jobs(self.services, self.now)

    @rule()
    def unsee(self) -> None:
        """The newest sighting withdrawn."""
        sighting = self.sightings.pop() if self.sightings else NOTHING
        self.attempt(lambda s: withdraw_sighting(s, self.services, self.staff, sighting, reason="随机", now=self.now))

    @rule()
    def care(self) -> None:
        """Somebody whose identity is known stays without being traced."""
        made = self.attempt(lambda s: make_case(s, self.services, self.staff, submitted=False, now=self.now))
        if made is None:
            return
        self.attempt(
            lambda s: admission.record_admission(
                s, self.services, self.staff, made.id, KNOWN, version=None, now=self.now
            )
        )
        self.attempt(lambda s: admission.take_into_care(s, self.services, self.staff, made.id, now=self.now))
        self.known.append(made.id)

    @rule(wanted=st.sampled_from(CaseState), submit=st.booleans())
    def trace_known(self, wanted: CaseState, submit: bool) -> None:
        """Somebody of known identity handed in, or moved, as if there were a name to find."""
        case_id = self._last(self.known)
        if submit:
            self.attempt(lambda s: cases.submit_case(s, self.services, self.staff, case_id, now=self.now))
        self.attempt(
            lambda s: cases.move_case(s, self.services, self.staff, case_id, wanted, reason="随机", now=self.now)
        )
        run_jobs(self.services, self.now)

    @rule(kind=st.sampled_from((OutcomeKind.LEFT, OutcomeKind.REUNITED, OutcomeKind.MISSING_AGAIN)))
    def end_stay(self, kind: OutcomeKind) -> None:
        """The stay of somebody of known identity ends."""
        case_id, day = self._last(self.known), self.services.local_day(self.now)
        self.attempt(
            lambda s: outcomes.record_outcome(
                s, self.services, self.staff, case_id, kind, None, occurred_on=day, note_text=None, now=self.now
            )
        )

    @rule()
    def disprove(self) -> None:
        """The stated identity was false: from now on a case as the others are, if fewer than two are open."""
        with read_only(self.services.db) as session:
            if len(oracle.open_cases(session, self.cases)) >= 2:
                return
        case_id = self._last(self.known)
        made = self.attempt(
            lambda s: admission.disprove_identity(s, self.services, self.staff, case_id, reason="随机", now=self.now)
        )
        if made is not None:
            self.known.remove(made.id)
            self.cases.append(made.id)
            run_jobs(self.services, self.now)

    @rule(police=POLICE, reports=st.booleans())
    def link(self, police: int, reports: bool) -> None:
        """Two reports, or the two newest cases, said to be one person."""
        kind, ids = (GalleryKind.REPORT, self.reports) if reports else (GalleryKind.CASE, self.cases[-2:])
        viewer = self.reporter if reports else self.police[police]
        made = self.attempt(
            lambda s: duplicates.link_records(
                s, self.services, viewer, kind, ids[0], ids[1], reason="随机", now=self.now
            )
        )
        if made is not None:
            self.pairs.append(made.id)

    @rule(different=st.booleans())
    def unlink(self, different: bool) -> None:
        """The decision on the newest pair taken back; now and then the opposite is said."""
        pair_id = self._last(self.pairs)
        for viewer in (self.reporter, self.staff):
            self.attempt(
                lambda s, who=viewer: duplicates.withdraw_decision(  # type: ignore[misc]
                    s, who, pair_id, reason="随机", now=self.now
                )
            )
            if different:
                self.attempt(
                    lambda s, who=viewer: duplicates.decide(  # type: ignore[misc]
                        s, who, pair_id, DuplicateVerdict.DIFFERENT, reason="随机", now=self.now
                    )
                )
