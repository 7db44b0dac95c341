"""Rival candidates confirmed at the same moment: one wins, the other is told (200 times: `make drill-confirm`)."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.factories.confirm_race import RIVALS, confirm_race
from tests.factories.rivals import postgres_copies


@pytest.mark.postgres
def test_of_two_rivals_one_is_confirmed(postgres_server: Engine, tmp_path: Path, now: datetime) -> None:
    told = set()
    with postgres_copies(postgres_server, tmp_path, now) as copies:
        for pair in RIVALS:
            for by_reviews in (False, True):
                with copies.fresh() as services:
                    raced = confirm_race(services, copies.rivals, pair, by_reviews=by_reviews, now=now)
                assert raced.problems == ()
                told.add(raced.slug)
    assert told == {"already_confirmed", "report_taken"}
