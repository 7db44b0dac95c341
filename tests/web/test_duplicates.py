"""Duplicates and exclusions on the pages: linked by number, decided, unlinked; an excluded candidate brought back."""

import uuid
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from models.candidate import Candidate, CandidateState
from models.case import Case, CaseState
from models.exclusion import Exclusion, ExclusionEvidence
from models.user import Role
from tests.factories.stories import examiners, judged_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing import exclusions
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services


def _number(services: Services, case_id: uuid.UUID) -> str:
    with read_only(services.db) as session:
        return session.get_one(Case, case_id).number


def test_two_records_are_linked_and_unlinked(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    stories = [
        judged_case(services, world, CaseState.UNRESOLVED, now=utc_now() - timedelta(days=day)) for day in (2, 1)
    ]
    first, second = (_number(services, one.case_id) for one in stories)
    browser = browser_of(world.a.users[Role.STATION_STAFF])
    given = {"kind": "case", "first_id": first, "second_id": "X-1", "reason": "同一疤痕"}
    refused = browser.send("/duplicates", given, page="/duplicates")
    assert (refused.status_code, 'id="e-second_id"' in refused.text) == (422, True)
    made = browser.send("/duplicates", given | {"second_id": second}, page="/duplicates")
    assert made.status_code == 303
    pair = made.headers["location"]
    assert first in browser.see(pair)
    assert pair in browser.see("/duplicates?status=same")
    assert pair not in browser.see("/duplicates?status=same&kind=report")
    assert browser.send(f"{pair}/withdraw", {"reason": "指纹不符"}, page=f"{pair}/withdraw").status_code == 303
    assert pair in browser.see("/duplicates")
    caseworker = browser_of(world.a.users[Role.CASEWORKER])
    assert f"{pair}/decision" not in caseworker.see(pair)
    assert browser.send(f"{pair}/decision", {"verdict": "different", "reason": ""}, page=pair).status_code in (409, 422)
    decided = {"verdict": "different", "reason": "指纹不符"}
    assert browser.send(f"{pair}/decision", decided, page=pair).status_code == 303
    assert browser.send(f"{pair}/decision", decided, page=pair).status_code == 409
    assert browser_of(world.b.users[Role.STATION_STAFF]).get(pair).status_code == 404


def test_only_the_supervisor_brings_an_excluded_candidate_back(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())
    with unit_of_work(services.db) as session:
        exclusions.exclude(
            session, examiners(world)[0], story.candidate, ExclusionEvidence.DNA, reference="DNA-1", reason="不符",
            now=utc_now(),
        )  # fmt: skip
        excluded = session.scalars(select(Exclusion.id)).one()
    page = f"/cases/{story.case_id}/exclusions"
    reopen = f"{page}/{excluded}/reopen"
    examiner, supervisor = (browser_of(world.a.users[one]) for one in (Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR))
    assert reopen not in examiner.see(page)
    assert examiner.get(reopen).status_code == 403
    assert reopen in supervisor.see(page)
    given = {"evidence": "dna", "reference": "", "reason": "样本混淆"}
    refused = supervisor.send(reopen, given, page=reopen)
    assert (refused.status_code, "样本混淆" in refused.text) == (422, True)
    assert supervisor.send(reopen, given | {"reference": "DNA-2"}, page=reopen).status_code == 303
    with read_only(services.db) as session:
        assert session.get_one(Candidate, story.candidate).state is not CandidateState.EXCLUDED
    assert "样本混淆" in examiner.see(page)
