"""`matcher.evaluation.joint` and its scores: worlds whose truth is known, and what the service's terms make of them."""

from dataclasses import fields, replace
from types import MappingProxyType

import numpy as np
import pytest

from matcher.evaluation.joint import NOBODY, World, build_world, choose_shots, people_of
from matcher.evaluation.joint_scores import score_world
from matcher.evaluation.population_names import PackagedNames
from matcher.evaluation.population_rates import load_rates
from matcher.evidence.base import load_parameters
from matcher.evidence.batch import KINDS
from matcher.evidence.terms import compare
from matcher.fusion import fuse
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind
from tests.matcher.evaluation.people import MODEL, made_people
from tests.matcher.evaluation.sources import templates_of
from tests.matcher.evaluation.test_face_report import perfect

RATES = load_rates()
NAMES = PackagedNames()
_SHIPPED = load_parameters()
_LIKE = next(iter(_SHIPPED.calibrations.values()))
PARAMETERS = replace(_SHIPPED, calibrations=MappingProxyType({MODEL: replace(_LIKE, model_version=MODEL)}))


def world(seed: int = 1, *, mated: int = 30, single: int = 10, distractors: int = 20) -> World:
    return build_world(made_people(mated, single), MODEL, NAMES, RATES, seed, distractors)


def person_of(profile: Profile) -> int | None:
    """Who is on the photographs: every person is at right angles to the others."""
    return int(profile.templates[0].argmax()) if len(profile.templates) else None


def test_a_world_holds_what_the_protocol_says() -> None:
    made = world()
    mates = [probe.mate for probe in made.probes]
    assert len(made.gallery) == 30 + 5 + 20
    assert len(made.probes) == 30 + 5
    assert sum(mate != NOBODY for mate in mates) == 30
    found = [mate for mate in mates if mate != NOBODY]
    assert len(set(found)) == 30


def test_a_mate_is_the_same_person_and_nobody_elses() -> None:
    seen = 0
    for seed in range(5):
        made = world(seed)
        enrolled = [person_of(report) for report in made.gallery]
        for probe in made.probes:
            person = person_of(probe.profile)
            if person is None:
                continue
            assert person == probe.person
            if probe.mate == NOBODY:
                assert person not in enrolled
            elif enrolled[probe.mate] is not None:
                assert enrolled[probe.mate] == person
                assert enrolled.count(person) == 1
                seen += 1
    assert seen > 80


def test_nothing_but_the_person_leads_from_a_case_to_its_report() -> None:
    """No order: positions of case and report are unrelated; no number: a profile has no field for one."""
    pairs = [(at, probe.mate) for seed in range(8) for at, probe in enumerate(world(seed).probes) if probe.mate >= 0]
    assert abs(np.corrcoef(np.array(pairs).T)[0, 1]) < 0.25
    assert not {"id", "number", "person", "mate"} & {field.name for field in fields(Profile)}


def test_a_seed_is_a_world() -> None:
    one, other, another = world(3), world(3), world(4)
    assert [report.names for report in one.gallery] == [report.names for report in other.gallery]
    assert [probe.mate for probe in one.probes] == [probe.mate for probe in other.probes]
    assert [report.names for report in one.gallery] != [report.names for report in another.gallery]


def test_photographs_stand_in_the_order_of_age() -> None:
    face = made_people(1, 0, ages=(4.0, 9.0, 9.0, 31.0))[0]
    assert face.ages is not None
    both = 0
    for seed in range(100):
        shots = choose_shots(np.random.default_rng(seed), face, RATES)
        assert not set(shots.report) & set(shots.case)
        older = [face.ages[at] for at in shots.report]
        newer = [face.ages[at] for at in shots.case]
        both += bool(older and newer)
        assert max(older, default=0) <= min(newer, default=99)
        assert len(set(newer)) <= 1
    assert both > 60


def test_worlds_with_ages_say_how_many_years_lie_between() -> None:
    made = build_world(made_people(40, 0, ages=(8.0, 30.0)), MODEL, NAMES, RATES, 2, 0)
    cohorts = {cohort for probe in made.probes for cohort in probe.cohorts}
    assert {"13 to 120 years between the photographs", "photographed as a child, found as an adult"} <= cohorts
    for probe in made.probes:
        report = made.gallery[probe.mate]
        for info in report.template_info:
            assert info.taken_on is not None
            assert report.seen_on is not None
            assert info.number == 1
        assert [info.taken_on for info in probe.profile.template_info] == [probe.profile.seen_on] * len(
            probe.profile.templates
        )


def test_a_world_needs_somebody_with_two_photographs() -> None:
    with pytest.raises(ValueError, match="nobody here has two photographs"):
        world(mated=0)


def test_people_without_a_found_face_are_left_out() -> None:
    dataset, rows = perfect(3, single=2)
    rows[0], rows[6] = [], []
    people = people_of(dataset, templates_of(rows))
    assert [len(person.templates) for person in people] == [1, 2, 2, 1]
    assert people[0].ages == (25.0,)


@pytest.mark.parametrize("ages", [None, (8.0, 30.0)])
def test_scores_are_the_services_own(ages: tuple[float, ...] | None) -> None:
    people = made_people(6, 0, ages=ages) if ages else made_people(6, 2)
    made = build_world(people, MODEL, NAMES, RATES, 5, 4)
    done: list[int] = []
    scores = score_world(made, PARAMETERS, done.append)
    assert done == list(range(1, len(made.probes) + 1))
    for row, probe in enumerate(made.probes):
        for column, report in enumerate(made.gallery):
            terms = compare(probe.profile, report, PARAMETERS)
            fused = fuse(terms, len(made.gallery), PARAMETERS)
            assert scores.fused[row, column] == pytest.approx(fused.log10_lr, abs=1e-9)
            held = {term.kind: term.log10_lr for term in terms}
            for at, kind in enumerate(KINDS):
                value = scores.terms[row, column, at]
                assert np.isnan(value) == (kind not in held)
                assert np.isnan(value) or value == pytest.approx(held[kind], abs=1e-5)
            bodily = fuse([term for term in terms if term.kind is not EvidenceKind.FACE], 1, PARAMETERS)
            assert scores.attributes[row, column] == pytest.approx(bodily.log10_lr, abs=1e-9)
    assert int(scores.is_mate.sum()) == 6
    assert np.isneginf(scores.face).any()
