"""Evidence figures: learned from judged candidates, back-tested, and switched in every process at once."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from matcher.vocabulary import Sex
from models.audit import AuditEvent
from models.candidate import Candidate, CandidateState, MatchPass
from models.parameter_set import PACKAGED, ParameterSetState
from models.review import Opinion
from tests.factories.records import facts, make_case, make_report
from tests.factories.stories import commit_opinion, examiners, run_jobs
from tests.factories.world import World
from tracing.access import Viewer
from tracing.parameter_learning import (
    ParametersWorse,
    TooFewJudged,
    backtest_parameters,
    known_candidates,
    propose_parameters,
    use_parameters,
    write_proposal,
)
from tracing.parameter_sets import (
    IN_FORCE,
    ParametersInvalid,
    ParametersUnknown,
    ParametersVersionTaken,
    content_named,
    in_force,
    list_sets,
    packaged_content,
    parameters_of,
    put_in_force,
    read_content,
)
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

NAMES = ("韦建国", "欧阳丽华", "曾志强", "单春梅", "仇大勇", "查良玉")


def changed(version: str, **values: float) -> dict[str, Any]:
    """The packaged figures, some of them changed (keys with dots written as __)."""
    content = packaged_content()
    for key, value in values.items():
        key = key.replace("__", ".")
        content["parameters"][key] = {"value": value, "source": "a test"}
    return content | {"version": version}


def file_of(content: dict[str, Any], folder: Path) -> str:
    return str(write_proposal(content, folder))


@pytest.fixture
def town(any_services: Services, staff: Viewer, reporter: Viewer, now: datetime) -> Services:
    """Six people, each in a case and in a report, who have found each other; in half of the cases the sex is wrong."""
    for number, name in enumerate(NAMES):
        told = Sex.MALE if number % 2 else Sex.FEMALE
        with unit_of_work(any_services.db) as session:
            make_report(session, any_services, reporter, known=facts(sex=Sex.MALE, age=40, name=name), now=now)
            make_case(session, any_services, staff, known=facts(sex=told, age=40, name=name), now=now)
    run_jobs(any_services, now)
    return any_services


def decide(services: Services) -> None:
    """Each case's best candidate is confirmed, the others closed, as a confirmation does it."""
    with unit_of_work(services.db) as session:
        rows = session.scalars(select(Candidate).order_by(Candidate.log10_lr.desc())).all()
        assert len({row.case_id for row in rows}) == len(NAMES)
        seen: set[uuid.UUID] = set()
        for row in rows:
            state = CandidateState.CLOSED if row.case_id in seen else CandidateState.CONFIRMED
            session.execute(update(Candidate).where(Candidate.id == row.id).values(state=state))
            seen.add(row.case_id)


def learned(services: Services, now: datetime, prior_pairs: float = 10) -> Any:
    with unit_of_work(services.db) as session:
        return propose_parameters(session, services, packaged_content(), prior_pairs=prior_pairs, seed=0, now=now)


def test_figures_are_drawn_towards_what_was_confirmed(town: Services, now: datetime) -> None:
    with pytest.raises(TooFewJudged):
        learned(town, now)
    decide(town)
    found = learned(town, now)
    assert found.confirmed == len(NAMES)
    # 3 of 6 agree, against .947 that counts for 10 pairs; how often strangers agree is no matter of candidates.
    assert found.changed["sex.same"].value == pytest.approx((3 + 9.47) / 16)
    assert found.changed["sex.chance"].pairs == len(NAMES) * (len(NAMES) - 1)
    assert found.content["version"].startswith("learned-2026")
    assert found.content["based_on"] == packaged_content()["version"]
    row = found.content["parameters"]["sex.same"]
    assert row["value"] == pytest.approx(found.changed["sex.same"].value, abs=1e-6)
    assert "6 confirmed" in row["source"]
    untouched = packaged_content()["parameters"].keys() - found.changed.keys()
    assert all(found.content["parameters"][key] == packaged_content()["parameters"][key] for key in untouched)
    assert learned(town, now, 1e6).changed["sex.same"].value == pytest.approx(0.947, abs=1e-4)
    with read_only(town.db) as session:
        assert [row.version for row in list_sets(session)] == [PACKAGED]
        actions = session.scalars(select(AuditEvent.action)).all()
    assert actions.count("parameters.learn") == 2


def test_two_examiners_against_are_an_exclusion(town: Services, world: World, now: datetime) -> None:
    with read_only(town.db) as session:
        candidate = session.scalars(select(Candidate).order_by(Candidate.log10_lr.desc()).limit(1)).one()
    for viewer in examiners(world):
        with read_only(town.db) as session:
            assert {one.confirmed for one in known_candidates(session, town)} == {None}
        with unit_of_work(town.db) as session:
            commit_opinion(session, town, viewer, candidate.id, Opinion.OPPOSES, "耳廓不同", now=now)
    with read_only(town.db) as session:
        assert [one.confirmed for one in known_candidates(session, town)].count(False) == 1


def test_a_worse_back_test_keeps_figures_out(town: Services, now: datetime, tmp_path: Path) -> None:
    decide(town)
    name = file_of(changed("worse", name__cap=0.01), tmp_path)
    with read_only(town.db) as session:
        found = backtest_of(session, town, name, now)
        assert found.before.rank_1 == 1.0
        assert found.after.rank_1 < 1.0
    with pytest.raises(ParametersWorse), unit_of_work(town.db) as session:
        use_parameters(session, town, name, despite=" ", now=now)
    with unit_of_work(town.db) as session:
        put, _ = use_parameters(session, town, name, despite="省厅要求试用", now=now)
        assert (put.version, put.state, put.reason) == ("worse", ParameterSetState.IN_FORCE, "省厅要求试用")
    with read_only(town.db) as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "parameters.use")).all()
    assert event.detail["despite"] is True
    assert event.detail["version"] == "worse"
    assert "省厅" not in json.dumps(event.detail, ensure_ascii=False)


def backtest_of(session: Any, services: Services, name: str, now: datetime) -> Any:
    with unit_of_work(services.db) as writing:
        before, after = content_named(session, IN_FORCE), content_named(session, name)
        return backtest_parameters(writing, services, before, after, now=now)


def test_every_process_follows_a_switch_and_back(town: Services, now: datetime, tmp_path: Path, staff: Viewer) -> None:
    packaged = town.parameters.version
    with unit_of_work(town.db) as session:
        name = file_of(changed("trial", sex__same=0.6), tmp_path)
        use_parameters(session, town, name, despite="试用", now=now)
    with read_only(town.db) as session:
        assert in_force(session, town).parameters["sex.same"] == 0.6
        assert in_force(session, town).parameters.calibrations == town.parameters.calibrations
        assert town.parameters["sex.same"] == 0.947
        trial = in_force(session, town).parameters.version
    assert trial == f"trial+{packaged.partition('+')[2]}"
    run_jobs(town, now)
    with read_only(town.db) as session:
        assert {row.parameters_version for row in session.scalars(select(Candidate))} == {trial}
        versions = session.scalars(select(MatchPass.parameters_version)).all()
    # Every record has a pass under either.
    assert versions.count(trial) == versions.count(packaged) == 2 * len(NAMES)
    with unit_of_work(town.db) as session:
        use_parameters(session, town, PACKAGED, despite="结束试用", now=now + timedelta(hours=1))
        assert [(row.version, row.state.value) for row in list_sets(session)] == [
            (PACKAGED, "in_force"), ("trial", "retired"),
        ]  # fmt: skip
        assert in_force(session, town) is town
    with unit_of_work(town.db) as session:
        use_parameters(session, town, "trial", despite="再试", now=now + timedelta(hours=2))
        assert in_force(session, town).parameters.version == trial


def test_one_version_is_one_set_of_figures(any_services: Services, now: datetime) -> None:
    for content in (changed("trial", sex__same=0.6), changed("trial", sex__same=0.6)):
        with unit_of_work(any_services.db) as session:
            put_in_force(session, content, reason=None, now=now)
    with pytest.raises(ParametersVersionTaken), unit_of_work(any_services.db) as session:
        put_in_force(session, changed("trial", sex__same=0.7), reason=None, now=now)
    with read_only(any_services.db) as session:
        assert [row.version for row in list_sets(session) if row.state is ParameterSetState.IN_FORCE] == ["trial"]
        assert session.scalars(select(AuditEvent.action)).all().count("parameters.use") == 1


def test_a_set_from_before_an_update_takes_what_it_lacks_from_the_packaged_one(sqlite_services: Services) -> None:
    old = _without(changed("old", sex__same=0.6), "place.cap")
    found = parameters_of(old, sqlite_services.parameters)
    assert (found.version.partition("+")[0], found["sex.same"]) == ("old", 0.6)
    assert found["place.cap"] == sqlite_services.parameters["place.cap"]
    assert found.curves == sqlite_services.parameters.curves


def _without(content: dict[str, Any], key: str) -> dict[str, Any]:
    return content | {"parameters": {name: row for name, row in content["parameters"].items() if name != key}}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda _: "{", "Expecting"),
        (lambda _: "[]", "list"),
        (lambda _: json.dumps({"version": "x"}), "parameters"),
        (lambda content: json.dumps(content | {"version": "x" * 32}), "its version has 1 to 31 characters"),
        (lambda content: json.dumps(content | {"version": "a+b"}), "no +"),
        (lambda content: json.dumps(_without(content, "sex.same")), "it lacks sex.same"),
        (lambda _: json.dumps(changed("x", place__chance__3=0.0)), "place.chance.3 is 0.0; a share lies above 0"),
        (lambda _: json.dumps(changed("x", age__cap=float("nan"))), "age.cap is nan"),
    ],
)
def test_files_that_cannot_be_used(spoil: Callable[[dict[str, Any]], str], why: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(spoil(packaged_content()), "utf-8")
    with pytest.raises(ParametersInvalid) as caught:
        read_content(path)
    assert why in str(caught.value.params["why"])
    with pytest.raises(ParametersUnknown):
        read_content(tmp_path / "none.json")
