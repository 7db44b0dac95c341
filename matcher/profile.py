"""What is known of one person, as the comparators see it.

Every value says how it is known (`basis`), when it held (`as_of`) and how sure it is (`uncertainty`, one standard
deviation in the value's unit; None = the comparator's default for the basis). An attribute that is not known is None:
unknown is not "no". `confidence` is that of the clue that a value was heard in; None when it came of none.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from matcher.vocabulary import (
    Basis,
    BloodGroup,
    BodyRegion,
    BodySide,
    Build,
    ClueConfidence,
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

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """One known value with its basis, as-of date and uncertainty (standard deviation, unit of the value)."""

    value: T
    basis: Basis
    as_of: date | None = None
    uncertainty: float | None = None
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class Name:
    """A name (姓名). `text` is what was written or heard: Chinese characters, pinyin or another script."""

    text: str
    kind: NameKind
    basis: Basis
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class Kin:
    """A relative's name (亲属姓名), as somebody said it: "my son is called 小军" is (SON, "小军", HEARD)."""

    relation: KinRelation
    text: str
    basis: Basis
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class Phone:
    """Digits of a telephone number (电话号码片段) of the person or of somebody close, in order and without gaps."""

    digits: str
    basis: Basis
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A place that belongs to the person. `division` is a GB/T 2260 code of 2, 4 or 6 digits, trailing zeros cut."""

    division: str
    kind: PlaceKind
    basis: Basis
    confidence: ClueConfidence | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A bodily mark (体表特征)."""

    kind: MarkKind
    region: BodyRegion
    side: BodySide | None
    permanent: bool = True


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """What is known of the photograph behind one face template.

    Attributes:
        taken_on: the day on which the person looked like that: when it was taken, at the latest when the person was
            last seen; None when not known.
        quality: of the face, 0 to 100, None when not measured.
        number: the photograph's place among the person's, from 1, as pages show them; None when it has none.
    """

    taken_on: date | None = None
    quality: float | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """All that is known of one person, ready for comparison.

    Attributes:
        seen_on: the day found (cases) or last seen (reports), a soft date.
        seen_at: division code of that place.
        templates: unit-norm face embeddings of one model version, shape (n, d), float32; (0, 0) when there are none.
        template_model: the model version of the templates; None makes them say nothing.
        template_info: of each template, in their order; empty when nothing is known of any.
        kind: whether this is a report (lost) or a case (found); None when neither, so that time says nothing.
        no_marks: True when somebody looked and recorded that there are no marks: a "none", not an unknown.
    """

    sex: Known[Sex] | None = None
    age: Known[float] | None = None
    birth_date: Known[date] | None = None
    height: Known[float] | None = None
    build: Known[Build] | None = None
    ethnicity: Known[str] | None = None
    blood_group: Known[BloodGroup] | None = None
    accent: Known[str] | None = None
    handedness: Known[Handedness] | None = None
    glasses: Known[Glasses] | None = None
    literacy: Known[Literacy] | None = None
    occupation: Known[str] | None = None
    school: Known[str] | None = None
    employer: Known[str] | None = None
    clothing: Known[str] | None = None
    belongings: Known[str] | None = None
    names: tuple[Name, ...] = ()
    places: tuple[Place, ...] = ()
    marks: tuple[Mark, ...] = ()
    kin: tuple[Kin, ...] = ()
    phones: tuple[Phone, ...] = ()
    no_marks: bool = False
    seen_on: date | None = None
    seen_at: str | None = None
    templates: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    kind: GalleryKind | None = None
    template_model: str | None = None
    template_info: tuple[TemplateInfo, ...] = ()
