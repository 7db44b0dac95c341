"""`tracing explain`: every term and what they come to, for stored candidates and for other pairs, on record."""

from datetime import datetime
from io import StringIO

import pytest
from rich.console import Console
from sqlalchemy import select

from matcher.vocabulary import EvidenceKind, Sex, Verdict
from models.audit import AuditEvent
from models.candidate import Candidate
from models.case import Case, CaseState
from models.report import Report
from models.user import Locale
from tests.factories.records import facts, make_report
from tests.factories.stories import candidate_of, judged_case
from tests.factories.world import World
from tracing.access import Viewer
from tracing.commands.explain import print_explanation
from tracing.explanations import NotComparable, RecordUnknown, explain
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def test_a_stored_candidate_adds_up(any_services: Services, world: World, now: datetime) -> None:
    story = judged_case(any_services, world, CaseState.IN_REVIEW, now=now)
    stored = candidate_of(any_services, story.case_id)
    with unit_of_work(any_services.db) as session:
        case, report = session.get_one(Case, story.case_id), session.get_one(Report, story.report_id)
        found = explain(session, any_services, case.number, report.number, now=now)
        by_id = explain(session, any_services, str(case.id), str(report.id), now=now)
    assert found == by_id
    told = found.explanation
    assert found.stored
    assert told.log10_lr == stored.log10_lr
    assert sum(term.counted for term in told.terms) == pytest.approx(told.log10_lr)
    assert {term.kind for term in told.terms} >= {EvidenceKind.SEX, EvidenceKind.AGE, EvidenceKind.NAME}
    assert all(0 <= term.weight <= 1 for term in told.terms)
    assert told.gallery_size == 2
    assert told.prior_log10_odds == pytest.approx(-0.30103, abs=1e-4)
    assert told.prior_log10_odds is not None
    odds = 10 ** (told.log10_lr + told.prior_log10_odds)
    assert told.posterior == pytest.approx(odds / (1 + odds))
    with read_only(any_services.db) as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "candidate.explain")).all()
    assert [event.object_id for event in events] == [str(story.case_id)] * 2
    for language, words in ((Locale.ZH, "姓名"), (Locale.EN, "names")):
        out = StringIO()
        print_explanation(Console(file=out, width=240), found, language)
        assert words in out.getvalue()
        assert f"{told.log10_lr:+.2f}" in out.getvalue()
        for term in told.terms:
            assert f"{term.log10_lr:+.2f}" in out.getvalue()


def test_another_pair_is_weighed_for_the_asking_and_not_stored(
    services: Services, world: World, reporter: Viewer, now: datetime
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    with unit_of_work(services.db) as session:
        other = make_report(session, services, reporter, known=facts(sex=Sex.FEMALE, age=8), now=now)
        number = session.get_one(Case, story.case_id).number
        found = explain(session, services, number, other.number, now=now)
        assert not found.stored
        assert found.explanation.verdict is Verdict.UNLIKELY
        assert found.explanation.log10_lr < -1
        assert len(session.scalars(select(Candidate)).all()) == 1


def test_what_cannot_be_explained_is_told(services: Services, world: World, now: datetime) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    with unit_of_work(services.db) as session:
        case, report = session.get_one(Case, story.case_id), session.get_one(Report, story.report_id)
        with pytest.raises(RecordUnknown):
            explain(session, services, case.number, "no-such", now=now)
        with pytest.raises(NotComparable):
            explain(session, services, report.number, case.number, now=now)
        with pytest.raises(NotComparable):
            explain(session, services, case.number, str(case.id), now=now)
