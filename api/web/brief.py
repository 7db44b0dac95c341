"""A person in one line of a list: the name heard, sex, age, and what else lists may show."""

from dataclasses import dataclass

from matcher.vocabulary import AttributeKind, Build, Sex
from models.profile import Profile
from tracing.profiles import current_facts


@dataclass(frozen=True, slots=True)
class Brief:
    """What a list shows of a person; None = not known."""

    name: str | None
    sex: Sex | None
    age: str | None
    height: str | None
    accent: str | None
    build: Build | None
    ethnicity: str | None


def brief_of(profile: Profile) -> Brief:
    """The line for a profile that is loaded with its facts."""
    facts = current_facts(profile)
    values = {fact.kind: fact.value for fact in facts.attributes}
    sex, build = values.get(AttributeKind.SEX), values.get(AttributeKind.BUILD)
    return Brief(
        name=facts.names[0].text if facts.names else None,
        sex=Sex(sex) if sex else None,
        age=values.get(AttributeKind.AGE),
        height=values.get(AttributeKind.HEIGHT),
        accent=values.get(AttributeKind.ACCENT),
        build=Build(build) if build else None,
        ethnicity=values.get(AttributeKind.ETHNICITY),
    )
