"""One estimate for one quantity: where the matching and the simulation both have a figure, it is the same one."""

from collections import Counter

import numpy as np
import pytest

from matcher.evaluation.population import Person, draw_person, elsewhere
from matcher.evaluation.population_names import PackagedNames
from matcher.evaluation.population_rates import load_rates
from matcher.evidence.base import load_parameters
from matcher.evidence.place import LEVELS, agreement, spot

P = load_parameters()
RATES = load_rates()
NAMES = PackagedNames()
SAME = {
    "name.wrong_heard": "case.name_invented",
    "name.nickname": "case.name.nickname",
    "kin.wrong": "case.kin_wrong",
    "time.same.short": "gap.short",
    "time.same.long": "gap.long",
    "time.chance.short": "open.short",
    "time.chance.long": "open.long",
    "time.days.short": "gap.short_days",
    "time.days.middle": "gap.middle_days",
    "time.days.long": "gap.long_days",
    "time.soft": "gap.soft_share",
    "time.soft_days": "gap.soft_days",
}
TRAVEL = (*LEVELS, "farther")


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return [draw_person(np.random.default_rng([11, at]), NAMES, RATES) for at in range(1500)]


@pytest.mark.parametrize(("ours", "simulated"), SAME.items())
def test_figures_and_their_sources_are_the_same(ours: str, simulated: str) -> None:
    assert P[ours] == RATES[simulated]
    assert P.sources[ours] == RATES.figures.sources[simulated]


@pytest.mark.parametrize("level", TRAVEL)
def test_people_are_found_as_far_away_as_the_matching_takes_them_to_be(level: str) -> None:
    assert P.curves[f"travel.same.{level}"] == RATES.figures.curves[f"wander.{level}"]
    assert P.sources[f"travel.same.{level}"] == RATES.figures.sources[f"wander.{level}"]


def test_shares_of_days_lost_are_distributions() -> None:
    for shares in ("time.same", "time.chance"):
        assert sum(P[f"{shares}.{kind}"] for kind in ("short", "middle", "long")) == pytest.approx(1)


def test_places_agree_as_often_as_the_rates_imply(crowd: list[Person]) -> None:
    """What a station hears, or where it finds somebody, against where the person comes from and lives."""
    found: dict[str, Counter[str]] = {"accent": Counter(), "place.seen": Counter(), "place.mentioned": Counter()}
    rng = np.random.default_rng(12)
    for person in crowd:
        said = elsewhere(rng, RATES)
        share = rng.random() - RATES["case.place_native"]
        if share < RATES["case.place_residence"]:
            said = person.native if share < 0 else person.residence
        accent = elsewhere(rng, RATES) if rng.random() < RATES["case.accent_wrong"] else person.native
        # Reports name the place of registration too, which is the native one.
        for home in (person.native, person.native, person.residence):
            for key, place in (("accent", accent), ("place.seen", person.found_at), ("place.mentioned", said)):
                found[key][LEVELS[int(agreement(spot(place), spot(home))[0])]] += 1
    for key, counts in found.items():
        for level in LEVELS:
            assert P[f"{key}.same.{level}"] == pytest.approx(counts[level] / (3 * len(crowd)), abs=0.04), (key, level)
