"""The terms, in the order in which they are shown."""

from matcher.evidence import (
    accent,
    age,
    belongings,
    blood_group,
    build,
    clothing,
    employer,
    ethnicity,
    face,
    glasses,
    handedness,
    height,
    kin,
    likeness,
    literacy,
    marks,
    name,
    occupation,
    phone,
    place,
    school,
    sex,
    time,
    travel,
)
from matcher.evidence.base import Comparator, Evidence, Parameters
from matcher.evidence.columns import Term, table
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind as Kind

TERMS: tuple[Term, ...] = (
    Term(Kind.FACE, face.compare, likeness.encode, likeness.stack, likeness.score),
    Term(Kind.NAME, name.compare, name.encode, name.stack, name.score),
    Term(Kind.KIN, kin.compare, kin.encode, kin.stack, kin.score),
    Term(Kind.PLACE, place.compare, place.encode, place.stack, place.score),
    Term(Kind.ACCENT, accent.compare, accent.encode, place.stack, accent.score),
    Term(Kind.SEX, sex.compare, sex.encode, table, sex.score),
    Term(Kind.AGE, age.compare, age.encode, table, age.score),
    Term(Kind.HEIGHT, height.compare, height.encode, table, height.score),
    Term(Kind.BUILD, build.compare, build.encode, table, build.score),
    Term(Kind.ETHNICITY, ethnicity.compare, ethnicity.encode, table, ethnicity.score),
    Term(Kind.BLOOD_GROUP, blood_group.compare, blood_group.encode, table, blood_group.score),
    Term(Kind.HANDEDNESS, handedness.compare, handedness.encode, table, handedness.score),
    Term(Kind.GLASSES, glasses.compare, glasses.encode, table, glasses.score),
    Term(Kind.MARKS, marks.compare, marks.encode, marks.stack, marks.score),
    Term(Kind.LITERACY, literacy.compare, literacy.encode, table, literacy.score),
    Term(Kind.SCHOOL, school.compare, school.encode, school.stack, school.score),
    Term(Kind.OCCUPATION, occupation.compare, occupation.encode, table, occupation.score),
    Term(Kind.EMPLOYER, employer.compare, employer.encode, employer.stack, employer.score),
    Term(Kind.PHONE, phone.compare, phone.encode, phone.stack, phone.score),
    Term(Kind.CLOTHING, clothing.compare, clothing.encode, table, clothing.score),
    Term(Kind.BELONGINGS, belongings.compare, belongings.encode, table, belongings.score),
    Term(Kind.TIME, time.compare, time.encode, table, time.score),
    Term(Kind.TRAVEL, travel.compare, travel.encode, table, travel.score),
)

COMPARATORS: tuple[Comparator, ...] = tuple(term.compare for term in TERMS)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> tuple[Evidence, ...]:
    """Every term that says something, in order."""
    found = (comparator(probe, other, parameters) for comparator in COMPARATORS)
    return tuple(evidence for evidence in found if evidence is not None)
