"""`matcher.evaluation.population`: people who never were, by the shares of the population."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from matcher import divisions
from matcher.evaluation.population import Person, Span, draw_person, pick
from matcher.evaluation.population_names import DatabaseNames, NameSource, PackagedNames
from matcher.evaluation.population_rates import MOST_KNOWN, Severity, load_rates
from matcher.names.tables import load_tables
from matcher.vocabulary import KinRelation, Sex

DATABASE = Path(__file__).parents[4] / "shared" / "data" / "cn_names"
RATES = load_rates()


@pytest.fixture(scope="module")
def names() -> PackagedNames:
    return PackagedNames()


@pytest.fixture(scope="module")
def crowd(names: PackagedNames) -> list[Person]:
    return [draw_person(np.random.default_rng([7, at]), names, RATES) for at in range(2000)]


def test_a_seed_is_a_person(names: PackagedNames) -> None:
    first, second, other = (draw_person(np.random.default_rng(seed), names, RATES) for seed in (4, 4, 5))
    assert first == second
    assert first != other


def test_shares_are_those_of_the_population(crowd: list[Person]) -> None:
    count = len(crowd)
    surnames = Counter(person.surname for person in crowd)
    for surname in ("王", "李", "张", "陈"):
        share = load_tables().surname_ppm[surname] / 1e6
        assert surnames[surname] / count == pytest.approx(share, abs=4 * np.sqrt(share / count))
    people = sum(RATES.provinces.values())
    provinces = Counter(person.native[:2] for person in crowd)
    for province in ("44", "41", "50", "63"):
        share = RATES.provinces[province] / people
        assert provinces[province] / count == pytest.approx(share, abs=4 * np.sqrt(share / count))
    assert np.mean([person.sex is Sex.MALE for person in crowd]) == pytest.approx(RATES["person.male"], abs=0.04)
    assert np.mean([person.ethnicity == "01" for person in crowd]) == pytest.approx(0.911, abs=0.02)
    assert np.mean([len(person.given) == 1 for person in crowd]) == pytest.approx(0.15, abs=0.03)
    at_home = np.mean([person.native == person.residence for person in crowd])
    assert at_home == pytest.approx(RATES["person.at_home"], abs=0.04)


def test_people_are_possible(crowd: list[Person]) -> None:
    for person in crowd:
        age = person.age_on(person.found)
        assert RATES["person.age_least"] - 0.1 <= age <= RATES["person.age_most"] + 0.1
        assert person.born < person.last_seen <= person.found
        assert all(
            divisions.exists(code) for code in (person.native, person.residence, person.lost_at, person.found_at)
        )
        assert {each.surname for each in person.life.kin if each.relation is KinRelation.FATHER} == {person.surname}
        assert len(person.life.phone) == 11
    men = [person.height for person in crowd if person.sex is Sex.MALE]
    women = [person.height for person in crowd if person.sex is Sex.FEMALE]
    assert 166 < np.mean(men) < 173
    assert 10 < np.mean(men) - np.mean(women) < 14


def test_heights_grow_and_shrink(crowd: list[Person]) -> None:
    old = next(person for person in crowd if person.age_on(person.found) > 80)
    assert old.height_on(old.found, RATES) < old.height - 4
    child = next(person for person in crowd if person.age_on(person.found) < 10)
    assert child.height_on(child.found, RATES) < 0.85 * child.height


def test_photographs_with_ages_bind_the_dates(names: PackagedNames) -> None:
    for seed in range(50):
        person = draw_person(np.random.default_rng(seed), names, RATES, Span(6, 30, has_face=True))
        assert 30 <= person.age_on(person.found) <= 31.01
        assert 5.9 <= person.age_on(person.last_seen) <= 19.1


@pytest.mark.parametrize("still", [True, False])
def test_photographs_without_ages_are_of_people_lost_lately(names: PackagedNames, still: bool) -> None:
    span = Span(has_face=True, open_report=still)
    people = [draw_person(np.random.default_rng([5, at]), names, RATES, span) for at in range(300)]
    gaps = np.array([(person.found - person.last_seen).days for person in people])
    assert gaps.max() <= RATES["gap.face_most_days"]
    # Drawn again, not cut off: nobody is lost for just the bound.
    assert (gaps == RATES["gap.face_most_days"]).sum() < 3


def test_who_is_still_searched_for_is_lost_the_longer(names: PackagedNames) -> None:
    def gap(*, still: bool) -> float:
        spans = [Span(open_report=still)] * 400
        people = [draw_person(np.random.default_rng([3, at]), names, RATES, span) for at, span in enumerate(spans)]
        return float(np.median([(person.found - person.last_seen).days for person in people]))

    assert gap(still=True) > 5 * gap(still=False)


@pytest.mark.parametrize("key", ["case.name", "report.residence"])
def test_severity_takes_fields_away(key: str) -> None:
    mild, usual, severe = (load_rates(severity).known(key) for severity in Severity)
    assert severe < usual < mild <= MOST_KNOWN
    assert load_rates(Severity.SEVERE).error("case.age_heard_sd") <= 0.9


def test_every_share_is_a_share_and_says_where_it_comes_from() -> None:
    for prefix in ("person.mark.", "person.build.", "person.blood.", "case.name."):
        assert sum(RATES.shares(prefix).values()) == pytest.approx(1)
    assert all(len(source) > 5 for source in RATES.figures.sources.values())
    assert set(RATES.provinces) <= {code for code in RATES.provinces if divisions.exists(code)}
    assert {habit for group in RATES.speakers for habit in group.habits} <= set(RATES.habits)


def test_a_pick_needs_something() -> None:
    rng = np.random.default_rng(0)
    assert Counter(pick(rng, {"a": 0.75, "b": 0.25}) for _ in range(1000))["a"] == pytest.approx(750, abs=60)
    assert pick(rng, {"a": 0.0, "b": 0.0}) == "b"
    with pytest.raises(ValueError, match="nothing to pick from"):
        pick(rng, {})


def test_characters_for_sounds(names: PackagedNames) -> None:
    rng = np.random.default_rng(1)
    assert names.write(rng, "wang", 2) in "王亡"
    assert names.write(rng, "nguyen", 1) == "nguyen"


@pytest.mark.shared
def test_names_of_the_database() -> None:
    if not DATABASE.is_dir():
        pytest.skip("the shared tables of names are not here")
    source: NameSource = DatabaseNames(DATABASE)
    rng = np.random.default_rng(2)
    surnames = Counter(source.surname(rng) for _ in range(4000))
    assert surnames["王"] / 4000 == pytest.approx(0.0749, abs=0.017)
    men = Counter(source.given(rng, Sex.MALE, "44", 0.15) for _ in range(3000))
    women = Counter(source.given(rng, Sex.FEMALE, "44", 0.15) for _ in range(3000))
    assert men["伟"] > women["伟"]
    assert women["秀英"] + women["丽"] > men["秀英"] + men["丽"]


def test_a_folder_without_the_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="familyname"):
        DatabaseNames(tmp_path)
    for table in ("familyname.csv", "givenname.csv", "top1000name.prov.csv"):
        (tmp_path / table).write_text("surname,other\n王,1\n", "utf-8")
    with pytest.raises(ValueError, match=r"no column ppm.1930_2008"):
        DatabaseNames(tmp_path)
