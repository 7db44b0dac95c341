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
from matcher.evidence.columns import Term, listed
from matcher.profile import Profile
from matcher.vocabulary import EvidenceKind as Kind

TERMS: tuple[Term, ...] = (
    Term(Kind.FACE, face.compare, likeness.encode, likeness.score, likeness.parts, likeness.gather),
    Term(Kind.NAME, name.compare, name.encode, name.score, name.parts, name.gather),
    Term(Kind.KIN, kin.compare, kin.encode, kin.score, kin.parts, kin.gather),
    Term(Kind.PLACE, place.compare, place.encode, place.score, listed, place.gather),
    Term(Kind.ACCENT, accent.compare, accent.encode, accent.score, listed, place.gather),
    Term(Kind.SEX, sex.compare, sex.encode, sex.score),
    Term(Kind.AGE, age.compare, age.encode, age.score),
    Term(Kind.HEIGHT, height.compare, height.encode, height.score),
    Term(Kind.BUILD, build.compare, build.encode, build.score),
    Term(Kind.ETHNICITY, ethnicity.compare, ethnicity.encode, ethnicity.score),
    Term(Kind.BLOOD_GROUP, blood_group.compare, blood_group.encode, blood_group.score),
    Term(Kind.HANDEDNESS, handedness.compare, handedness.encode, handedness.score),
    Term(Kind.GLASSES, glasses.compare, glasses.encode, glasses.score),
    Term(Kind.MARKS, marks.compare, marks.encode, marks.score, listed, marks.gather),
    Term(Kind.LITERACY, literacy.compare, literacy.encode, literacy.score),
    Term(Kind.SCHOOL, school.compare, school.encode, school.score, school.parts, school.gather),
    Term(Kind.OCCUPATION, occupation.compare, occupation.encode, occupation.score),
    Term(Kind.EMPLOYER, employer.compare, employer.encode, employer.score, employer.parts, employer.gather),
    Term(Kind.PHONE, phone.compare, phone.encode, phone.score, phone.parts, phone.gather),
    Term(Kind.CLOTHING, clothing.compare, clothing.encode, clothing.score),
    Term(Kind.BELONGINGS, belongings.compare, belongings.encode, belongings.score),
    Term(Kind.TIME, time.compare, time.encode, time.score),
    Term(Kind.TRAVEL, travel.compare, travel.encode, travel.score),
)

COMPARATORS: tuple[Comparator, ...] = tuple(term.compare for term in TERMS)


def compare(probe: Profile, other: Profile, parameters: Parameters) -> tuple[Evidence, ...]:
    """Every term that says something, in order."""
    found = (comparator(probe, other, parameters) for comparator in COMPARATORS)
    return tuple(evidence for evidence in found if evidence is not None)
