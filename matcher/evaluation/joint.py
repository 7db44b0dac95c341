"""A world in which the joint evaluation searches: real faces, invented identities, one report and one case a person.

- a person with two photographs whose face was found: one record with the older, one with the newer; the family's report
  goes to the gallery, the station's case is a mated probe;
- people with one photograph: a seeded half are reports in the gallery, the others non-mated cases;
- besides, reports about people of whom there is no photograph at all.

A record tells nothing of its mate but what it says of the person: no number, no order (the gallery is shuffled), and
each side's errors come from a generator of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from matcher.evaluation.corruption import NO_PHOTOS, Photos, case_of, report_of, stranger
from matcher.evaluation.datasets import Dataset
from matcher.evaluation.population import DAYS_A_YEAR, Person, Span, draw_person
from matcher.evaluation.population_names import NameSource
from matcher.evaluation.population_rates import Rates
from matcher.evaluation.templates import Templates
from matcher.profile import Profile, TemplateInfo

GROWN = 18
NOBODY = -1
_YEARS = ((0, 3), (4, 12), (13, 120))


@dataclass(frozen=True, slots=True, eq=False)
class FacePerson:
    """A real person's photographs in which a face was found.

    Attributes:
        name: unique over all sets.
        templates: unit-norm, shape (n, d).
        ages: years at each, None when the set does not record them.
        quality: 0 to 100 of each, NaN when not measured; shape (n,).
    """

    name: str
    templates: NDArray[np.float32]
    ages: tuple[float, ...] | None
    quality: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A case that is searched.

    Attributes:
        profile: what the station knows.
        mate: position of the report about the same person in the gallery, NOBODY when there is none.
        person: position of the real person whose face it is, for intervals.
        cohorts: what the search belongs to, for figures by cohort.
    """

    profile: Profile
    mate: int
    person: int
    cohorts: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Cases and the gallery of reports that they are searched in."""

    probes: tuple[Probe, ...]
    gallery: tuple[Profile, ...]


@dataclass(frozen=True, slots=True)
class Shots:
    """Positions of a person's photographs on either side, and what they say of the time."""

    report: tuple[int, ...]
    case: tuple[int, ...]
    span: Span


def people_of(dataset: Dataset, templates: Templates) -> list[FacePerson]:
    """People of a set with at least one photograph whose face was found, in the set's order."""
    held: dict[str, list[int]] = {}
    for at, photo in enumerate(dataset.photos):
        if templates.found[at]:
            held.setdefault(photo.person, []).append(at)
    people = []
    for person, positions in held.items():
        ages = [age for position in positions if (age := dataset.photos[position].age) is not None]
        known = tuple(ages) if len(ages) == len(positions) else None
        quality = templates.quality.get("overall", np.full(len(dataset.photos), np.nan, np.float32))
        people.append(FacePerson(f"{dataset.name}/{person}", templates.vectors[positions], known, quality[positions]))
    return people


def build_world(
    people: Sequence[FacePerson],
    model: str,
    names: NameSource,
    rates: Rates,
    seed: int,
    distractors: int,
) -> World:
    """The world of a seed: the same arguments give the same world.

    `model` is the version of the templates; `distractors` reports without a photograph are added. Raises ValueError
    when nobody has two photographs.
    """
    mated = [at for at, person in enumerate(people) if len(person.templates) > 1]
    if not mated:
        raise ValueError("nobody here has two photographs in which a face is found")
    single = [at for at, person in enumerate(people) if len(person.templates) == 1]
    order = np.random.default_rng([seed, 0]).permutation(len(single))
    enrolled = {single[at] for at in order[: len(single) // 2]}
    reports: list[Profile] = []
    drafts: list[Probe] = []
    for at, face in enumerate(people):
        shots = choose_shots(np.random.default_rng([seed, 1, at]), face, rates)
        span = replace(shots.span, open_report=at in enrolled)
        person = draw_person(np.random.default_rng([seed, 2, at]), names, rates, span)
        sides = [np.random.default_rng([seed, side, at]) for side in (3, 4)]
        dated = sides[0].random() < rates.known("report.photo_dated")
        taken = [_taken(person, face, shot, dated) for shot in shots.report]
        report = report_of(person, sides[0], names, rates, _photos(face, shots.report, taken, model))
        today = [person.found] * len(shots.case)
        case = case_of(person, sides[1], names, rates, _photos(face, shots.case, today, model))
        if len(face.templates) > 1:
            drafts.append(Probe(case, len(reports), at, _cohorts(person, report, case, shots.span)))
            reports.append(report)
        elif at in enrolled:
            reports.append(report)
        else:
            drafts.append(Probe(case, NOBODY, at, frozenset()))
    reports += [stranger(np.random.default_rng([seed, 5, at]), names, rates) for at in range(distractors)]
    return _shuffled(drafts, reports, seed)


def choose_shots(rng: np.random.Generator, face: FacePerson, rates: Rates) -> Shots:
    """Which photographs stand on which side: where ages are known, no photograph of the report is newer.

    Of a single photograph both sides have it; only one side of such a person is used.
    """
    count = len(face.templates)
    with_report = rng.random() < rates.known("report.photo")
    with_case = rng.random() < rates.known("case.photo")
    order = [int(at) for at in rng.permutation(count)]
    two = rng.random() < rates["report.two_photos"], rng.random() < rates["case.two_photos"]
    if count == 1:
        ages = face.ages
        span = Span(ages[0] if ages else None, ages[0] if ages else None, has_face=True)
        return Shots((0,) if with_report else (), (0,) if with_case else (), span)
    first, second = order[:2]
    if face.ages is not None and face.ages[first] > face.ages[second]:
        first, second = second, first
    older, newer = (None, None) if face.ages is None else (face.ages[first], face.ages[second])
    more = [at for at in order if at not in {first, second}]
    before = [at for at in more if face.ages is None or older is None or face.ages[at] <= older]
    report = [first, *before[:1]] if two[0] else [first]
    # A station takes its photographs on one day.
    same_day = [at for at in more if at not in report and (face.ages is None or face.ages[at] == newer)]
    case = [second, *same_day[:1]] if two[1] else [second]
    return Shots(
        tuple(report) if with_report else (), tuple(case) if with_case else (), Span(older, newer, has_face=True)
    )


def _photos(face: FacePerson, shots: tuple[int, ...], taken: Sequence[date], model: str) -> Photos:
    if not shots:
        return NO_PHOTOS
    info = [
        TemplateInfo(day, float(face.quality[shot]) if np.isfinite(face.quality[shot]) else None, number)
        for number, (shot, day) in enumerate(zip(shots, taken, strict=True), start=1)
    ]
    return Photos(face.templates[list(shots)], model, tuple(info))


def _taken(person: Person, face: FacePerson, shot: int, dated: bool) -> date:
    """The day that the report gives its photograph: the true one, or that of the last contact."""
    if not dated or face.ages is None:
        return person.last_seen
    return min(person.last_seen, person.born + timedelta(days=int((face.ages[shot] + 0.5) * DAYS_A_YEAR)))


def _cohorts(person: Person, report: Profile, case: Profile, span: Span) -> frozenset[str]:
    both = len(report.templates) > 0 and len(case.templates) > 0
    found = {"faces on both sides" if both else "no face on one side"}
    told = [word for word, has in (("name", case.names), ("place", case.places)) if has]
    found.add(f"{' and '.join(told) or 'neither name nor place'} told")
    found.add("child when found" if person.age_on(person.found) < GROWN else "adult when found")
    if span.report_age is not None and span.case_age is not None and both:
        years = span.case_age - span.report_age
        found |= {
            f"{least} to {most} years between the photographs" for least, most in _YEARS if least <= years <= most
        }
        if span.report_age < GROWN <= span.case_age:
            found.add("photographed as a child, found as an adult")
    return frozenset(found)


def _shuffled(drafts: Sequence[Probe], reports: Sequence[Profile], seed: int) -> World:
    rng = np.random.default_rng([seed, 6])
    order = rng.permutation(len(reports))
    place = np.argsort(order)
    probes = [
        Probe(one.profile, NOBODY if one.mate == NOBODY else int(place[one.mate]), one.person, one.cohorts)
        for one in drafts
    ]
    return World(tuple(probes[at] for at in rng.permutation(len(probes))), tuple(reports[at] for at in order))
