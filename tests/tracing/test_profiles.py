"""Profiles: facts are superseded, never overwritten; the revision names what a pass has seen."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from matcher.vocabulary import (
    AttributeKind,
    Basis,
    BodyRegion,
    BodySide,
    GalleryKind,
    Glasses,
    Handedness,
    KinRelation,
    Literacy,
    MarkKind,
    NameKind,
    PlaceKind,
    Sex,
)
from models.case import Case
from models.profile import ProfileAttribute, ProfileName
from tests.factories.records import facts, make_case
from tracing.access import Viewer
from tracing.cases import load_case
from tracing.facts import AttributeFact, Facts, KinFact, MarkFact, NameFact, PhoneFact, PlaceFact
from tracing.platform.db import read_only, unit_of_work
from tracing.profiles import current_facts, for_matcher, revise_profile
from tracing.services import Services

FULL = Facts(
    attributes=(
        AttributeFact(AttributeKind.SEX, "male", Basis.ESTIMATED),
        AttributeFact(AttributeKind.AGE, "45", Basis.HEARD, "本人", date(2026, 3, 1), 3.0),
        AttributeFact(AttributeKind.HEIGHT, "170", Basis.MEASURED, None, None, 0.5),
    ),
    names=(NameFact("韦建国", NameKind.HEARD, Basis.HEARD), NameFact("阿国", NameKind.NICKNAME, Basis.HEARD)),
    places=(PlaceFact("350203", PlaceKind.MENTIONED, Basis.HEARD, None, "演武路"),),
    marks=(MarkFact(MarkKind.SCAR, BodyRegion.FACE, Basis.MEASURED, BodySide.LEFT, None, "眉上"),),
    kin=(KinFact("小军", KinRelation.SON, Basis.HEARD, "本人"),),
    phones=(PhoneFact("1367", Basis.HEARD),),
)


@pytest.fixture
def case(any_services: Services, staff: Viewer, now: datetime) -> Case:
    with unit_of_work(any_services.db) as session:
        return make_case(session, any_services, staff, known=FULL, submitted=False, now=now)


def revise(services: Services, staff: Viewer, case: Case, wanted: Facts, now: datetime) -> tuple[bool, int, Facts]:
    with unit_of_work(services.db) as session:
        profile = load_case(session, staff, case.id, lock=True).profile
        changed = revise_profile(session, profile, staff, wanted, now=now)
    with read_only(services.db) as session:
        profile = load_case(session, staff, case.id).profile
        return changed, profile.revision, current_facts(profile)


def as_sets(known: Facts) -> tuple[set[object], ...]:
    return tuple(map(set, (known.attributes, known.names, known.places, known.marks, known.kin, known.phones)))


def test_what_was_given_stands(any_services: Services, staff: Viewer, case: Case, now: datetime) -> None:
    changed, revision, known = revise(any_services, staff, case, FULL, now + timedelta(days=1))
    assert (changed, revision) == (False, 1)
    assert as_sets(known) == as_sets(FULL)


def test_a_new_value_supersedes_the_old_row_which_stays(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    later = now + timedelta(days=1)
    wanted = Facts(
        attributes=(FULL.attributes[0], AttributeFact(AttributeKind.AGE, "52", Basis.DOCUMENTED)),
        names=(FULL.names[0],),
        no_marks=True,
    )
    changed, revision, known = revise(any_services, staff, case, wanted, later)
    assert (changed, revision) == (True, 2)
    assert as_sets(known) == as_sets(wanted)
    assert known.no_marks
    with read_only(any_services.db) as session:
        rows = session.scalars(select(ProfileAttribute).where(ProfileAttribute.profile_id == case.profile_id)).all()
        names = session.scalars(select(ProfileName).where(ProfileName.profile_id == case.profile_id)).all()
    found = {(row.kind.value, row.value): (row.recorded_at, row.superseded_at, row.recorded_by_id) for row in rows}
    assert found == {
        ("sex", "male"): (now, None, staff.user_id),
        ("age", "45"): (now, later, staff.user_id),
        ("height", "170"): (now, later, staff.user_id),
        ("age", "52"): (later, None, staff.user_id),
    }
    assert {(name.text, name.superseded_at) for name in names} == {("韦建国", None), ("阿国", later)}


def test_a_better_basis_for_the_same_value_is_a_change(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    measured = AttributeFact(AttributeKind.SEX, "male", Basis.DOCUMENTED)
    wanted = replace(FULL, attributes=(measured, *FULL.attributes[1:]))
    changed, revision, known = revise(any_services, staff, case, wanted, now)
    assert (changed, revision) == (True, 2)
    assert measured in known.attributes


def test_a_value_that_comes_back_is_a_new_row(any_services: Services, staff: Viewer, case: Case, now: datetime) -> None:
    revise(any_services, staff, case, Facts(), now + timedelta(days=1))
    _, revision, known = revise(any_services, staff, case, FULL, now + timedelta(days=2))
    assert revision == 3
    assert as_sets(known) == as_sets(FULL)
    with read_only(any_services.db) as session:
        rows = session.scalars(select(ProfileAttribute).where(ProfileAttribute.profile_id == case.profile_id)).all()
    assert len(rows) == 6


def test_no_marks_found_is_not_unknown(any_services: Services, staff: Viewer, now: datetime) -> None:
    with unit_of_work(any_services.db) as session:
        unknown = make_case(session, any_services, staff, known=facts(sex=Sex.MALE), now=now)
        looked = make_case(session, any_services, staff, known=facts(sex=Sex.MALE, no_marks=True), now=now)
        assert not current_facts(unknown.profile).no_marks
        assert current_facts(looked.profile).no_marks


def test_the_matcher_is_handed_every_fact_with_its_basis_day_and_uncertainty() -> None:
    template = np.array([1, 0, 0], np.float32)
    profile = for_matcher(
        FULL,
        kind=GalleryKind.CASE,
        seen_on=date(2026, 3, 2),
        seen_at="450702",
        templates=[template],
        template_model="colour-1",
    )
    assert profile.sex is not None
    assert (profile.sex.value, profile.sex.basis) == (Sex.MALE, Basis.ESTIMATED)
    assert profile.age is not None
    assert (profile.age.value, profile.age.as_of, profile.age.uncertainty) == (45.0, date(2026, 3, 1), 3.0)
    assert profile.height is not None
    assert (profile.height.value, profile.height.basis) == (170.0, Basis.MEASURED)
    assert [name.text for name in profile.names] == ["韦建国", "阿国"]
    assert [place.division for place in profile.places] == ["350203"]
    assert [mark.side for mark in profile.marks] == [BodySide.LEFT]
    assert [(one.relation, one.text, one.basis) for one in profile.kin] == [(KinRelation.SON, "小军", Basis.HEARD)]
    assert [one.digits for one in profile.phones] == ["1367"]
    assert (profile.seen_on, profile.seen_at) == (date(2026, 3, 2), "450702")
    assert (profile.templates.shape, profile.template_model) == ((1, 3), "colour-1")
    assert (profile.build, profile.blood_group, profile.accent, profile.birth_date) == (None, None, None, None)
    assert for_matcher(Facts(), kind=GalleryKind.REPORT, seen_on=None, seen_at=None, templates=[]).templates.shape == (
        0,
        0,
    )


def test_the_matcher_is_handed_what_the_person_does_and_where_they_learnt() -> None:
    kinds = {
        AttributeKind.HANDEDNESS: "left",
        AttributeKind.GLASSES: "worn",
        AttributeKind.LITERACY: "none",
        AttributeKind.OCCUPATION: "务农",
        AttributeKind.SCHOOL: "那丽小学",
        AttributeKind.EMPLOYER: "制衣厂",
        AttributeKind.CLOTHING: "蓝色棉衣",
        AttributeKind.BELONGINGS: "手机",
    }
    given = Facts(attributes=tuple(AttributeFact(kind, value, Basis.HEARD) for kind, value in kinds.items()))
    profile = for_matcher(given, kind=GalleryKind.REPORT, seen_on=None, seen_at=None, templates=[])
    listed = [profile.handedness, profile.glasses, profile.literacy]
    assert [one.value for one in listed if one] == [Handedness.LEFT, Glasses.WORN, Literacy.NONE]
    texts = [profile.occupation, profile.school, profile.employer, profile.clothing, profile.belongings]
    assert [one.value for one in texts if one] == ["务农", "那丽小学", "制衣厂", "蓝色棉衣", "手机"]
