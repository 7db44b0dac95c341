"""Who may open and send what on the pages: every route, every role, records of the own province and of another."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from api.web import csrf
from models import Base
from models.case import Case
from models.report import Report
from models.user import Role, User
from tests.factories.faces import RED, make_photo_bytes
from tests.factories.world import World
from tests.web.conftest import Browser
from tests.web.everything import everything
from tests.web.matrix import MAY, NOT_THERE
from tests.web.test_security import page_routes
from tracing.platform.db import read_only
from tracing.services import Services


def test_every_page_route_is_in_the_table(app: FastAPI) -> None:
    routes = {(method, route.path) for route in page_routes() for method in route.methods or () if method != "HEAD"}
    assert routes == set(MAY)


def _stored(services: Services) -> dict[str, object]:
    """Rows of every table but the trail of the requests themselves, and the states that matter."""
    trail = {"audit_event", "audit_head", "token"}
    with read_only(services.db) as session:
        counts: dict[str, object] = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.tables.values()
            if table.name not in trail
        }
        states = list(session.execute(select(Case.id, Case.state, Case.version)).all())
        reports = list(session.execute(select(Report.id, Report.state, Report.version)).all())
        users = list(session.execute(select(User.id, User.active, User.role, User.password_hash)).all())
    return {**counts, "states": states, "report states": reports, "users": users}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("own", [True, False], ids=["own", "other"])
def test_the_table_holds(
    role: Role, own: bool, services: Services, world: World, browser_of: Callable[..., Browser]
) -> None:
    values = everything(services, world)
    here, there = (world.a, world.b) if own else (world.b, world.a)
    browser = browser_of(here.users[role])
    token = browser.token("/")

    def answer(method: str, template: str, user_id: object) -> int:
        photo_id = values["report_photo_id" if "report_id" in template else "photo_id"]
        path = template.format(**{**values, "user_id": user_id, "photo_id": photo_id})
        files = [("photos.front", ("p.jpg", make_photo_bytes(RED), "image/jpeg"))] if path.endswith("/photos") else None
        reading = method == "GET"
        sent = browser.get(path) if reading else browser.client.post(path, data={csrf.FIELD: token}, files=files)
        status = sent.status_code
        assert status < 500, (method, template)
        return status

    # The case is province a's, the report province b's; accounts are those of the viewer's province, then the other's.
    before = _stored(services)
    for (method, template), may in MAY.items():
        mine = "{" not in template or (("report_id" in template) != own)
        user_id = (there if role in may else here).users[Role.STATION_STAFF].id
        if role in may and mine and "user_id" not in template:
            continue
        refused = answer(method, template, user_id)
        # An empty form may be told that it is empty before it is told whose it is.
        assert refused in ((403, 404) if method == "GET" else (403, 404, 422)), (method, template, refused)
    assert _stored(services) == before
    for (method, template), may in MAY.items():
        mine = "{" not in template or "user_id" in template or (("report_id" in template) != own)
        if role in may and mine:
            allowed = answer(method, template, here.users[Role.CASEWORKER].id)
            assert allowed != 403, (method, template)
            answers = {404} if template in NOT_THERE else {200, 204, 303}
            assert method != "GET" or allowed in answers, (method, template)
