"""The pages tell what matching changed in a list, and why; not to an examiner for whom the score is sealed."""

from collections.abc import Callable

from models.case import CaseState
from models.review import Opinion
from models.user import Role
from tests.factories.stories import commit_opinion, describe, examiners, judged_case
from tests.factories.world import World
from tests.web.conftest import Browser
from tracing.platform.clock import utc_now
from tracing.platform.db import unit_of_work
from tracing.services import Services

JUDGED = ">已有复核意见<"
TITLE = "名单有何变化，为什么"


def test_changes_are_told_where_the_score_is_open(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    story = judged_case(services, world, CaseState.IN_REVIEW, now=utc_now())
    staff = browser_of(world.a.users[Role.STATION_STAFF])
    case = staff.see(f"/cases/{story.case_id}")
    assert TITLE in case
    assert f"/cases/{story.case_id}/changes" in case
    changes = staff.see(f"/cases/{story.case_id}/changes")
    assert "进入名单" in changes
    assert f"/candidates/{story.candidate}" in changes
    assert "姓名 （新） → +" in changes
    candidate = staff.see(f"/candidates/{story.candidate}")
    assert "分数的由来" in candidate
    assert "比对之前：2 条记录之一" in candidate
    with unit_of_work(services.db) as session:
        describe(session, services, world.viewer(world.a.examiners[0]), story.case_id, now=utc_now())
    examiner = browser_of(world.a.examiners[0])
    assert TITLE not in examiner.see(f"/cases/{story.case_id}")
    assert "目前没有您可以查看的变化" in examiner.see(f"/cases/{story.case_id}/changes")
    assert "分数的由来" not in examiner.see(f"/candidates/{story.candidate}")


def test_the_state_of_a_sealed_candidate_tells_nobody_that_a_colleague_has_judged(
    services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    now = utc_now()
    story = judged_case(services, world, CaseState.IN_REVIEW, now=now)
    first, second = examiners(world)
    with unit_of_work(services.db) as session:
        commit_opinion(session, services, first, story.candidate, Opinion.SUPPORTS, None, now=now)
        describe(session, services, second, story.case_id, now=now)
    pages = (f"/candidates/{story.candidate}", f"/cases/{story.case_id}")
    judged, waiting = (browser_of(one) for one in world.a.examiners)
    for page in pages:
        assert JUDGED in judged.see(page)
        assert JUDGED not in waiting.see(page)
