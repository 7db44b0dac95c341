"""What a story is played on: a running service, its users, the invented people, and the one who tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tracing.demo.client import ApiUser, Unexpected
from tracing.demo.seed import Person, contact_of
from tracing.demo.stories.narrator import Narrator
from tracing.facts import Facts


@dataclass
class Stage:
    """`photos` has some photographs of each person, none when there is no folder; `persons` by the same names."""

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

    def told(self, username: str, kind: str) -> None:
        """Read the user's inbox, in which a notification of this kind must wait unread. Raises Unexpected."""
        user = self[username]
        waiting = user.call("GET", "/notifications?unread=true&limit=200")["items"]
        if kind not in {one["kind"] for one in waiting}:
            raise Unexpected(f"{username} was not told: {kind}")
        user.call("POST", "/notifications/read", json={})
        self.tell.say(f"inbox of {username}: {kind}")

    def tell_history(self, case: Mapping[str, Any]) -> None:
        """The states that a case has passed."""
        history = self["station"].call("GET", f"/cases/{case['id']}/history")["items"]
        self.tell.say(" → ".join(["draft", *(row["to_state"] for row in history)]))


def register_reports(stage: Stage) -> None:
    """Bijie: the families' reports, each with a photograph, in the search."""
    stage.tell.step(
        "毕节：家属报失踪，公安登记寻人信息。",
        "Bijie: families report their missing; the police there register the reports.",
    )
    police = stage["police2"]
    for name, person in stage.persons.items():
        report = police.call("POST", "/reports", json=report_body(person, stage.today))
        for photo in stage.photos.get(name, [])[:1]:
            police.call("POST", f"/reports/{report['id']}/photos", photo=photo)
        police.call("POST", f"/reports/{report['id']}/publish")
        police.wait_until(
            f"/reports/{report['id']}", lambda record: all(photo["analysis"] != "pending" for photo in record["photos"])
        )
    stage.tell.say(f"{len(stage.persons)} reports are in the search; their families' details are sealed.")


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
