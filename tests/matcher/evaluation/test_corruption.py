"""`matcher.evaluation.corruption`: what kin report and stations take down of the same person."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.evaluation.corruption import case_of, report_of
from matcher.evaluation.corruption_speech import Speaker, draw_speaker, hear, heard_name, speak
from matcher.evaluation.population import Person, draw_person
from matcher.evaluation.population_names import PackagedNames
from matcher.evaluation.population_rates import Rates, Severity, load_rates
from matcher.names.sounds import all_syllables
from matcher.profile import Profile
from matcher.vocabulary import Basis, GalleryKind, NameKind

RATES = load_rates()
NAMES = PackagedNames()
PEOPLE = [draw_person(np.random.default_rng([1, at]), NAMES, RATES) for at in range(800)]
SOUNDS = sorted(f"{syllable}{tone}" for syllable in all_syllables() for tone in "1234")


def cases(rates: Rates = RATES) -> list[Profile]:
    return [case_of(person, np.random.default_rng([2, at]), NAMES, rates) for at, person in enumerate(PEOPLE)]


def reports(rates: Rates = RATES) -> list[Profile]:
    return [report_of(person, np.random.default_rng([3, at]), NAMES, rates) for at, person in enumerate(PEOPLE)]


Share = Callable[[Profile], object]


def share(records: list[Profile], known: Share) -> float:
    return float(np.mean([bool(known(record)) for record in records]))


FIELDS: dict[str, tuple[str, Share]] = {
    "name": ("case.name", lambda record: record.names),
    "place": ("case.place", lambda record: record.places),
    "accent": ("case.accent", lambda record: record.accent),
    "blood": ("case.blood", lambda record: record.blood_group),
    "kin": ("case.kin", lambda record: record.kin),
    "height": ("case.height", lambda record: record.height),
}


@pytest.mark.parametrize("severity", [Severity.USUAL, Severity.SEVERE])
def test_fields_are_filled_in_as_often_as_stated(severity: Severity) -> None:
    rates = load_rates(severity)
    found = cases(rates)
    for key, known in FIELDS.values():
        assert share(found, known) == pytest.approx(rates.known(key), abs=0.06), key


def test_ages_by_eye_miss_by_a_decade_and_towards_the_middle() -> None:
    errors, ages = [], []
    for person, record in zip(PEOPLE, cases(), strict=True):
        age = person.age_on(person.found)
        if record.age is not None and record.age.basis is Basis.ESTIMATED and age > 30:
            errors.append(record.age.value - age)
            ages.append(age)
    assert 8.5 < np.std(errors) < 12
    assert np.mean(np.array(errors)[np.array(ages) < 40]) > 0 > np.mean(np.array(errors)[np.array(ages) > 65])


def test_documents_and_hearsay_are_told_apart() -> None:
    found, given_in = cases(), reports()
    assert {name.basis for record in found for name in record.names} == {Basis.HEARD}
    assert {name.kind for record in given_in for name in record.names} == {NameKind.FULL, NameKind.NICKNAME}
    assert {record.kind for record in found} == {GalleryKind.CASE}
    assert {record.kind for record in given_in} == {GalleryKind.REPORT}


def test_unknown_is_not_no() -> None:
    found = cases()
    assert all(not (record.no_marks and record.marks) for record in found)
    assert any(not record.no_marks and not record.marks for record in found)


def test_the_sides_share_the_person_alone() -> None:
    """The errors of one side say nothing of the other's."""
    errors = []
    for person, case, report in zip(PEOPLE, cases(), reports(), strict=True):
        if case.height and report.height and person.age_on(person.last_seen) > 18:
            told = report.height.value - person.height_on(person.last_seen, RATES)
            errors.append((case.height.value - person.height_on(person.found, RATES), told))
    assert len(errors) > 300
    assert abs(np.corrcoef(np.array(errors).T)[0, 1]) < 0.1


def test_heard_names_resemble_the_true_ones() -> None:
    heard = [heard_name(np.random.default_rng([4, at]), person, NAMES, RATES) for at, person in enumerate(PEOPLE)]
    assert all(heard)
    written = [person.surname + person.given for person in PEOPLE]
    same = np.mean([a == b for a, b in zip(heard, written, strict=True)])
    assert same < 0.2
    lettered = np.mean([name.isascii() for name in heard])
    assert lettered == pytest.approx(RATES["speech.pinyin"], abs=0.03)


def test_a_habit_is_the_speakers() -> None:
    flat = Speaker((RATES.habits["flat"],), ())
    said = [speak(np.random.default_rng(seed), "zhang1", flat, RATES) for seed in range(200)]
    assert set(said) == {"zhang1", "zang1"}
    assert said.count("zang1") / 200 == pytest.approx(RATES["speech.keeps_habit"], abs=0.06)
    assert speak(np.random.default_rng(0), "wang2", flat, RATES) == "wang2"


def test_speakers_of_a_province_have_its_habits_or_not() -> None:
    speakers = [draw_speaker(np.random.default_rng(seed), RATES, "510107") for seed in range(300)]
    has = np.mean([RATES.habits["l_for_n"] in speaker.habits for speaker in speakers])
    assert has == pytest.approx(RATES["speech.has_habit"], abs=0.09)
    assert draw_speaker(np.random.default_rng(0), RATES, "99").habits == ()


@given(st.sampled_from(SOUNDS), st.integers(0, 10_000), st.sampled_from(sorted(RATES.provinces)))
def test_only_syllables_that_exist_come_out(sound: str, seed: int, province: str) -> None:
    rng = np.random.default_rng(seed)
    said = speak(rng, sound, draw_speaker(rng, RATES, province), RATES)
    syllable, tone = hear(rng, said, RATES)
    assert said[:-1] in all_syllables()
    assert syllable in all_syllables()
    assert 1 <= tone <= 4


def test_the_same_generator_gives_the_same_record() -> None:
    person: Person = PEOPLE[0]
    one, other = (case_of(person, np.random.default_rng(9), NAMES, RATES) for _ in range(2))
    for field in ("names", "age", "marks", "places", "kin"):
        assert getattr(one, field) == getattr(other, field)
