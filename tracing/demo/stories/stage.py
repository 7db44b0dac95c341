"""What a story is played on: a running service, its users, the invented people, and the one who tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tracing.demo.client import ApiUser
from tracing.demo.seed import Person, contact_of
from tracing.demo.stories.narrator import Narrator
from tracing.facts import Facts


@dataclass
class Stage:
    """`photos` has some photographs of each person, none when there is no folder; `persons` by the same names.

    `reported` is filled by the first story that registers the families' reports: the later ones find them there.
    """

    url: str
    passwords: Mapping[str, str]
    photos: Mapping[str, list[Path]]
    persons: Mapping[str, Person]
    today: date
    tell: Narrator
    _users: dict[str, ApiUser] = field(default_factory=dict)

    def __getitem__(self, username: str) -> ApiUser:
        """A user of the demo region, signed in when first wanted."""
        if username not in self._users:
            self._users[username] = ApiUser(self.url, username, self.passwords[username])
        return self._users[username]


def facts_body(facts: Facts) -> dict[str, Any]:
    """Facts as the API takes them."""
    return {
        "attributes": [
            {"kind": fact.kind.value, "value": fact.value, "basis": fact.basis.value, "uncertainty": fact.uncertainty}
            for fact in facts.attributes
        ],
        "names": [{"text": fact.text, "kind": fact.kind.value, "basis": fact.basis.value} for fact in facts.names],
        "places": [
            {"division": fact.division, "kind": fact.kind.value, "basis": fact.basis.value} for fact in facts.places
        ],
    }


def report_body(person: Person, today: date) -> dict[str, Any]:
    """A report of the person's family."""
    contact = contact_of(person)
    return {
        "last_seen_on": (today - timedelta(days=40)).isoformat(),
        "last_seen_division": person.native,
        "contact": {"name": contact.name, "relation": contact.relation, "telephone": contact.telephone},
        **facts_body(person.reported()),
    }
