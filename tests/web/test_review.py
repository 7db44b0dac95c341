"""The examiner's workspace without scripts: taking a case, describing, judging, asking; and the supervisor's pages."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from api.web.bench import Apart, years_apart
from api.web.opinions import disputed, findings
from models.candidate import Candidate
from models.case import CaseState
from models.photo import Photo
from models.report import Report
from models.review import FeatureFinding, Opinion
from models.user import Role
from tests.factories.records import make_case
from tests.factories.stories import Story, commit_opinion, describe, judged_case, run_jobs
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.candidates import get_candidate
from tracing.platform.clock import utc_now
from tracing.platform.db import read_only, unit_of_work
from tracing.review import FeatureRemark, commit_review
from tracing.services import Services


@pytest.fixture
def story(services: Services, world: World) -> Story:
    """A case of province a in review."""
    return judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())


def judge(services: Services, world: World, place: int, story: Story, opinion: Opinion, ears: FeatureFinding) -> None:
    """One of province a's examiners describes the person and commits an opinion that goes into the ears."""
    viewer = world.viewer(world.a.examiners[place])
    with unit_of_work(services.db) as session:
        describe(session, services, viewer, story.case_id, now=utc_now())
        given = [FeatureRemark("ears", ears, "耳垂"), FeatureRemark("nose", FeatureFinding.SIMILAR)]
        commit_review(session, services, viewer, story.candidate, opinion, None, features=given, now=utc_now())


def test_from_the_queue_to_the_first_candidate(world: World, story: Story, browser_of: Callable[..., Browser]) -> None:
    examiner = browser_of(world.a.examiners[0])
    begin, candidate = f"/cases/{story.case_id}/review", f"/candidates/{story.candidate}"
    queue = examiner.see("/review")
    assert "领取并开始" in queue
    assert "下一时限" in queue
    assert examiner.send(begin, {}, page="/review").headers["location"] == begin
    assert "分派给您" in examiner.see("/review")
    features = examiner.get(begin).headers["location"]
    assert features == f"/cases/{story.case_id}/features?next=review"
    text = examiner.see(features)
    assert 'name="next" value="review"' in text
    noted = {"basis": "non_facial", "stature": "瘦高", "next": "review"}
    assert examiner.send(features.partition("?")[0], noted, page=features).headers["location"] == begin
    assert examiner.get(begin).headers["location"] == candidate
    examiner.send(f"{candidate}/opinion", {"opinion": "neither"}, page=candidate)
    assert examiner.get(begin).headers["location"] == f"/cases/{story.case_id}#candidates"
    assert str(story.case_id) not in examiner.see("/review")


def test_both_places_taken_is_said_on_the_queue(world: World, story: Story, browser_of: Callable[..., Browser]) -> None:
    begin = f"/cases/{story.case_id}/review"
    for one in world.a.examiners:
        assert browser_of(one).send(begin, {}, page="/review").status_code == 303
    refused = browser_of(world.a.users[Role.POLICE_SUPERVISOR]).send(begin, {}, page="/review")
    assert refused.status_code == 409
    assert "<h1>" in refused.text


def test_what_was_typed_is_kept_when_an_opinion_is_refused(
    services: Services, world: World, story: Story, browser_of: Callable[..., Browser]
) -> None:
    with unit_of_work(services.db) as session:
        describe(session, services, world.viewer(world.a.examiners[0]), story.case_id, now=utc_now())
    examiner = browser_of(world.a.examiners[0])
    page = f"/candidates/{story.candidate}"
    text = examiner.see(page)
    assert "中等" in text, "what was noted first stands beside the feature"
    typed = {"finding.stature": "different", "text.stature": "高半头", "remarks": "鼻翼不同"}
    refused = examiner.send(f"{page}/opinion", typed, page=page)
    assert refused.status_code == 422
    assert re.search(r'name="finding.stature" value="different" checked', refused.text)
    assert 'value="高半头"' in refused.text
    assert ">鼻翼不同</textarea>" in refused.text
    assert "data-again" in refused.text, "the browser's own draft is not offered over it"


def test_what_was_asked_for_is_shown(
    services: Services, world: World, story: Story, browser_of: Callable[..., Browser]
) -> None:
    with unit_of_work(services.db) as session:
        describe(session, services, world.viewer(world.a.examiners[0]), story.case_id, now=utc_now())
    examiner = browser_of(world.a.examiners[0])
    page = f"/candidates/{story.candidate}"
    assert "您于" not in examiner.see(page)
    assert examiner.send(f"{page}/request", {"kind": "dna"}, page=page).status_code == 303
    assert "请采集 DNA · 您于" in re.sub(r"\s+", " ", examiner.see(page))


def test_opinions_are_compared_only_for_who_has_given_one(
    services: Services, world: World, story: Story, browser_of: Callable[..., Browser]
) -> None:
    judge(services, world, 0, story, Opinion.SUPPORTS, FeatureFinding.SIMILAR)
    judge(services, world, 1, story, Opinion.OPPOSES, FeatureFinding.DIFFERENT)
    page = f"/candidates/{story.candidate}"
    third = browser_of(world.a.users[Role.POLICE_SUPERVISOR])
    sealed = third.see(page)
    assert "先描述特征" in sealed
    for told in ("意见不一", "耳垂", "weighing", "<circle"):
        assert told not in sealed, told
    features = f"/cases/{story.case_id}/features"
    noted = third.send(features, {"basis": "non_facial", "stature": "瘦高"}, page=features)
    assert noted.status_code == 303
    for told in ("意见不一", "耳垂", "weighing", "<circle"):
        assert told not in third.see(page), told
    assert third.send(f"{page}/opinion", {"opinion": "neither"}, page=page).status_code == 303
    text = third.see(page)
    assert "比对人员对该候选人意见不一" in text
    assert "1 项特征意见不一" in text
    assert text.count("<circle") == 3
    assert 'class="weighing"' in text


def test_where_examiners_part(services: Services, world: World, story: Story) -> None:
    judge(services, world, 0, story, Opinion.SUPPORTS, FeatureFinding.SIMILAR)
    judge(services, world, 1, story, Opinion.SLIGHTLY_OPPOSES, FeatureFinding.CANNOT_COMPARE)
    with unit_of_work(services.db) as session:
        viewer = world.viewer(world.a.users[Role.POLICE_SUPERVISOR])
        third = commit_opinion(session, services, viewer, story.candidate, Opinion.CANNOT_TELL, now=utc_now())
        reviews = get_candidate(session, viewer, story.candidate, now=utc_now()).reviews
    found = findings(reviews)
    assert [key for key, _ in found.rows] == ["nose", "ears"], "in the order of the list"
    assert third not in found.by
    assert found.apart == frozenset(), "what cannot be compared is no disagreement"
    assert not disputed(reviews), "-1 is no clear opposition"


def test_a_pair_of_cases_is_judged_from_the_other_side_too(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    cases = {}
    with unit_of_work(services.db) as session:
        for province in (world.a, world.b):
            staff = world.viewer(province.users[Role.STATION_STAFF])
            cases[make_case(session, services, staff, submitted=True, now=utc_now()).id] = province
    run_jobs(services, utc_now())
    with read_only(services.db) as session:
        pair = session.scalars(select(Candidate)).one()
    assert pair.other_case_id is not None
    theirs = cases[pair.other_case_id]
    with unit_of_work(services.db) as session:
        describe(session, services, world.viewer(theirs.examiners[0]), pair.other_case_id, now=utc_now())
    text = browser_of(theirs.examiners[0]).see(f"/candidates/{pair.id}")
    assert 'name="opinion"' in text
    assert "中等" in text


def test_a_supervisor_gives_a_case_to_another(
    services: Services, world: World, story: Story, browser_of: Callable[..., Browser]
) -> None:
    first, second = world.a.examiners
    browser_of(first).send(f"/cases/{story.case_id}/review", {}, page="/review")
    supervisor = browser_of(world.a.users[Role.POLICE_SUPERVISOR])
    page = f"/cases/{story.case_id}/assignments"
    assert page in supervisor.see("/review")
    text = supervisor.see(page)
    assert first.display_name in text
    assert f'value="{second.id}"' in text
    assert f'value="{first.id}"' not in text, "who has it cannot be given it"
    [action] = set(re.findall(r'action="(/cases/[^"]+/reassign)"', text))
    refused = supervisor.send(action, {"examiner_id": str(second.id), "reason": " "}, page=page)
    assert refused.status_code == 422
    assert f'value="{second.id}" selected' in refused.text
    assert 'id="e-reason"' in refused.text
    given = supervisor.send(action, {"examiner_id": str(second.id), "reason": "休假至周一"}, page=page)
    assert given.headers["location"] == page
    text = supervisor.see(page)
    assert "休假至周一" in text
    assert "分派给您" in browser_of(second).see("/review")


def test_quality_is_shown_with_few_counts_marked(
    services: Services, world: World, story: Story, browser_of: Callable[..., Browser]
) -> None:
    judge(services, world, 0, story, Opinion.SUPPORTS, FeatureFinding.SIMILAR)
    supervisor = browser_of(world.a.users[Role.POLICE_SUPERVISOR])
    text = supervisor.see("/review/quality")
    assert world.a.examiners[0].display_name in text
    assert world.b.examiners[0].display_name not in text
    assert "暂无" in text
    assert supervisor.see("/review/quality?since=nonsense").count("<tr") == text.count("<tr")
    later = (utc_now() + timedelta(days=2)).date().isoformat()
    assert f'value="{later}"' in supervisor.see(f"/review/quality?since={later}")


@pytest.mark.parametrize(
    ("ours", "theirs", "last_seen", "apart"),
    [
        ("2026-03-01", "2019-03-02", None, Apart(7, at_least=False)),
        ("2026-03-01", None, date(2020, 1, 1), Apart(6, at_least=True)),
        ("2026-03-01", None, None, None),
        (None, "2026-01-01", None, Apart(0, at_least=False)),
    ],
)
def test_years_between_photographs(ours: str | None, theirs: str | None, last_seen: date | None, apart: Apart) -> None:
    uploaded = datetime(2026, 3, 2, tzinfo=UTC)

    def photo(day: str | None) -> Photo:
        taken = None if day is None else datetime.fromisoformat(day).replace(tzinfo=UTC)
        return Photo(captured_at=taken, uploaded_at=uploaded)

    assert years_apart(photo(ours), photo(theirs), Report(last_seen_on=last_seen)) == apart
    assert years_apart(photo(ours), None, Report(last_seen_on=last_seen)) is None


def test_confirmation_says_what_it_rests_on_closes_and_opens(
    services: Services, world: World, story: Story, browser_of: Callable[..., Browser]
) -> None:
    judge(services, world, 0, story, Opinion.SUPPORTS, FeatureFinding.SIMILAR)
    page = f"/cases/{story.case_id}/confirmation"
    text = browser_of(world.a.examiners[0]).see(f"{page}?candidate={story.candidate}")
    assert f'value="{story.candidate}" checked' in text
    assert "支持为同一人 ✓" in text
    assert "没有其他候选" in text
    assert "钦南区救助管理站的工作人员和社工会收到" in text
    assert f"决定人：{world.a.examiners[0].display_name}" in text
    sealed = browser_of(world.a.users[Role.POLICE_SUPERVISOR]).see(page)
    assert "✓" not in sealed
    assert "<circle" not in sealed
