"""Web pages (网页): Jinja2 pages that work without scripts, enhanced by htmx. They call the use cases of `tracing`."""

from fastapi import FastAPI

from api.web import assets
from api.web.locale import PageLocale
from api.web.pages import (
    admission,
    appearance,
    audit,
    cases,
    claims,
    confirmation,
    contact,
    deadlines,
    divisions,
    duplicates,
    evaluation,
    exclusions,
    features,
    followup,
    home,
    home_notices,
    inbox,
    intake,
    interviews,
    jobs,
    kin,
    ledger,
    lists,
    lookouts,
    notices,
    notices_public,
    organisations,
    outcomes,
    patrols,
    photo_advice,
    photos,
    referral_drafts,
    referrals,
    reports,
    review,
    review_supervision,
    sightings,
    sign_in,
    statistics,
    system,
    timeline,
    tips,
    users,
    wandering,
    webhooks,
)
from api.web.problem_page import render_problem
from api.web.rendering import environment

# Intake before cases: "/cases/new" is not the case called "new".
ROOMS = (
    sign_in, home, inbox, lists, intake, cases, timeline, photos, photo_advice, reports, review, review_supervision,
    features, claims, exclusions, confirmation, contact, kin, outcomes, home_notices, ledger, referral_drafts,
    referrals, followup, wandering, duplicates, statistics, deadlines, interviews, lookouts, sightings, patrols,
    admission, notices, tips, divisions, users, organisations, webhooks, jobs, system, evaluation,
    audit, appearance,
)  # fmt: skip


# Pages for everybody: they know no sign-in, and so no form of theirs needs its token.
PUBLIC_ROOMS = (notices_public,)


def register(app: FastAPI) -> None:
    """Add the pages, their static files and the rendering of problems to the application."""
    assets.assets()  # fails at the start, not at the first page, when a file is missing
    environment()
    for room in (*ROOMS, *PUBLIC_ROOMS):
        app.include_router(room.router, include_in_schema=False)
    app.include_router(assets.router)
    app.state.page_paths = frozenset(route.path for room in ROOMS for route in room.router.routes)
    app.add_middleware(PageLocale)
    app.state.render_problem = render_problem
