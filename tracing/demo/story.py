"""The story (故事): a man found in Qinzhou goes home. The main job through the HTTP API, with everything it refuses.

Real processes and a throw-away database; the output names no id, time or address, so that two runs print the same.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from tracing.demo.client import ApiUser, Unexpected
from tracing.demo.environments import environment
from tracing.demo.photos import people
from tracing.demo.processes import NotReady, running
from tracing.demo.seed import PEOPLE_LIMIT, Person, contact_of, invent, seed_region
from tracing.facts import Facts
from tracing.platform import audit, migrations
from tracing.platform.clock import utc_now
from tracing.platform.db import Database, create_database, read_only, unit_of_work

SEARCHED = frozenset({"in_review", "unresolved"})


class Narrator:
    """Prints the steps, numbered, and what is refused."""

    def __init__(self, console: Console) -> None:
        """Nothing is printed yet."""
        self._console = console
        self._step = 0

    def step(self, zh: str, en: str) -> None:
        """The next step, in both languages."""
        self._step += 1
        self._console.print(f"\n[bold]{self._step:2}. {zh}[/bold]\n    {en}", highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A detail of the step."""
        self._console.print(f"    {text}", highlight=False, markup=False, soft_wrap=True)

    def refused(self, what: str, answer: tuple[int, str], *wanted: str) -> None:
        """A request that was refused as it must be. Raises Unexpected when it was refused for another reason."""
        status, slug = answer
        if slug not in wanted:
            raise Unexpected(f"{what}: refused with {slug}, not with {' or '.join(wanted)}")
        self._console.print(
            f"    [yellow]refused 已拒绝[/yellow]  {what}: {status} {slug}", highlight=False, soft_wrap=True
        )


def play(photos: Path | None, console: Console, *, production: bool = False) -> int:
    """Play the story; the exit code: 0 when everything happened, and everything was refused, as it must be."""
    try:
        with _installation(production) as (url, passwords, database):
            _play(url, passwords, people(photos, limit=PEOPLE_LIMIT), Narrator(console))
            _verify(database, Narrator(console))
    except (Unexpected, NotReady) as error:
        console.print(f"[red]The story broke off: {error}", highlight=False)
        return 1
    console.print("\n[green]The whole story was played; every step and every refusal was as it must be.")
    return 0


@contextmanager
def _installation(production: bool) -> Iterator[tuple[str, dict[str, str], Database]]:
    """A running service with the demo region in an empty database: its URL, the passwords, the database."""
    with tempfile.TemporaryDirectory() as folder, environment(Path(folder), production=production) as settings:
        migrations.upgrade(settings)
        database = create_database(settings)
        with unit_of_work(database) as session:
            passwords = {account.username: account.password for account in seed_region(session, now=utc_now())}
        with running(Path(folder) / "logs", celery=production) as installation:
            yield installation.url, passwords, database
        database.dispose()


def _play(url: str, passwords: dict[str, str], found: dict[str, list[Path]], tell: Narrator) -> None:
    if not found:
        tell.say("No photographs: the story is told by attributes alone. 没有照片：仅凭特征比对。")
    names = list(found) or ["obama", "biden", "astronaut"]
    persons = invent(names)
    who = {name: ApiUser(url, name, password) for name, password in passwords.items()}
    today = utc_now().date()

    tell.step(
        "毕节：家属报失踪，公安登记寻人信息。",
        "Bijie: families report their missing; the police there register the reports.",
    )
    for name, person in zip(names, persons, strict=True):
        report = who["police2"].call("POST", "/reports", json=_report(person, today))
        for photo in found.get(name, [])[:1]:
            who["police2"].call("POST", f"/reports/{report['id']}/photos", photo=photo)
        who["police2"].call("POST", f"/reports/{report['id']}/publish")
        who["police2"].wait_until(
            f"/reports/{report['id']}", lambda record: all(photo["analysis"] != "pending" for photo in record["photos"])
        )
    tell.say(f"{len(names)} reports are in the search; their families' details are sealed.")

    missing, his_photos = persons[0], found.get(names[0], [])[1:]
    case = _admit(who, missing, his_photos, today, tell)
    _early_refusals(who, case, tell)
    candidate = _search(who, case, missing, tell)
    _review(who, case, candidate, tell)
    _confirm_and_release(who, case, candidate, tell)
    _bring_home(who, case, today, tell)


def _facts(facts: Facts) -> dict[str, Any]:
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


def _report(person: Person, today: date) -> dict[str, Any]:
    contact = contact_of(person)
    return {
        "last_seen_on": (today - timedelta(days=40)).isoformat(),
        "last_seen_division": person.native,
        "contact": {"name": contact.name, "relation": contact.relation, "telephone": contact.telephone},
        **_facts(person.reported()),
    }


def _admit(who: dict[str, ApiUser], person: Person, photos: list[Path], today: date, tell: Narrator) -> dict[str, Any]:
    tell.step(
        "钦州：社区联络员发现一名男子，救助站接回，他说不清自己是谁。",
        "Qinzhou: a community liaison reports a man near a housing estate; the station takes him in.",
    )
    intake = {
        "admitted_on": today.isoformat(),
        "found_on": today.isoformat(),
        "found_division": "450702",
        "found_place": "演示小区附近",
        **_facts(person.seen()),
    }
    wrong = {**intake, "attributes": [{"kind": "height", "value": "1.72", "basis": "measured"}]}
    tell.refused("a height in metres", who["station"].refused("POST", "/cases", json=wrong), "invalid_facts")
    case = who["station"].call("POST", "/cases", json=intake)
    tell.say(f"case {case['number']}: heard {person.heard!r}, apparent age {person.age + 4}, accent {person.accent}")
    path = f"/cases/{case['id']}/photos"
    tell.refused("not a photograph", who["station"].refused_photo(path, b"hello"), "photo_unknown_format")
    if photos:
        cut = photos[0].read_bytes()[:4000]
        tell.refused("half a photograph", who["station"].refused_photo(path, cut), "photo_truncated")
    for photo in photos[:2]:
        stored = who["station"].call("POST", path, photo=photo)
        tell.say(f"photograph stored, sealed: {stored['width']}×{stored['height']}")
    who["station"].call("POST", f"/cases/{case['id']}/submit")
    return case


def _early_refusals(who: dict[str, ApiUser], case: dict[str, Any], tell: Narrator) -> None:
    tell.step("没有人能跳过步骤。", "Nobody can skip a step.")
    contact = f"/cases/{case['id']}/family-contact"
    tell.refused("caseworker reads the contact", who["caseworker"].refused("GET", contact), "contact_sealed")
    release = {"wish": "wants_contact", "danger": "no_sign"}
    path = f"/cases/{case['id']}/contact-release"
    tell.refused("release before confirmation", who["police"].refused("POST", path, json=release), "not_confirmed")
    tell.refused("administrator releases", who["admin"].refused("POST", path, json=release), "forbidden")


def _search(who: dict[str, ApiUser], case: dict[str, Any], person: Person, tell: Narrator) -> dict[str, Any]:
    tell.step(
        "后台比对：人脸索引加逐项证据。", "The matching pass: nearest faces, then every attribute weighed as evidence."
    )
    who["station"].wait_until(f"/cases/{case['id']}", lambda record: record["state"] in SEARCHED)
    listed = who["station"].call("GET", f"/cases/{case['id']}/candidates")["items"]
    if not listed:
        raise Unexpected("no candidate was proposed")
    for one in listed:
        face = "no face" if one["face_similarity"] is None else f"face cosine {one['face_similarity']:.3f}"
        tell.say(f"rank {one['rank']}  log10 LR {one['log10_lr']:+.2f}  {face}  {one['other']['number']}")
    first: dict[str, Any] | None = next(
        (one for one in listed if any(name["text"] == person.name for name in one["other"]["facts"]["names"])), None
    )
    if first is None:
        raise Unexpected("the true report is not among the candidates")
    tell.say(f"the true report has rank {first['rank']}:")
    for term in first["terms"]:
        tell.say(f"  {term['log10_lr']:+.2f}  {term['kind']:<12} {term['sentence_zh']}")
    return first


def _review(who: dict[str, ApiUser], case: dict[str, Any], candidate: dict[str, Any], tell: Narrator) -> None:
    tell.step("两名比对民警各自独立判断。", "Two examiners judge independently, each blind to scores and to the other.")
    path = f"/candidates/{candidate['id']}"
    for examiner in ("examiner1", "examiner2"):
        queue = who[examiner].call("GET", "/review/queue")["items"]
        if [item["case"]["number"] for item in queue] != [case["number"]]:
            raise Unexpected(f"the case is not in the queue of {examiner}")
        if examiner == "examiner1":
            tell.refused("a candidate before the features", who[examiner].refused("GET", path), "features_missing")
        who[examiner].call("POST", f"/cases/{case['id']}/features", json=_features(who[examiner], case))
        before = who[examiner].call("GET", path)["candidate"]
        if not before["sealed"] or "log10_lr" in before or "terms" in before:
            raise Unexpected(f"scores are not sealed for {examiner}")
        opinion = {
            "opinion": "strongly_supports" if examiner == "examiner1" else "supports",
            "remarks": "演示",
            "features": [{"feature": "ears", "finding": "similar", "text": "演示"}],
        }
        who[examiner].call("POST", f"{path}/reviews", json=opinion)
        after = who[examiner].call("GET", path)["candidate"]
        tell.say(f"{examiner}: sealed before, then {opinion['opinion']}; now sees {len(after['reviews'])} opinion(s)")
        if examiner == "examiner1":
            confirm = {"candidate_id": candidate["id"], "method": "agreeing_reviews", "grounds": "一人意见"}
            place = f"/cases/{case['id']}/confirmation"
            tell.refused(
                "one examiner confirms alone", who["examiner1"].refused("POST", place, json=confirm), "reviews_missing"
            )
            tell.refused("the submitter confirms", who["station"].refused("POST", place, json=confirm), "forbidden")


def _features(examiner: ApiUser, case: dict[str, Any]) -> dict[str, Any]:
    """What an examiner notes of the unknown person before any candidate: the face, if there is a photograph of it."""
    photos = examiner.call("GET", f"/cases/{case['id']}")["photos"]
    if not photos:
        return {"basis": "non_facial", "features": [{"feature": "stature", "text": "演示"}]}
    keys = ("hairline", "eyebrows", "ears", "chin")
    return {"basis": "facial", "features": [{"feature": key, "text": "演示"} for key in keys]}


def _confirm_and_release(
    who: dict[str, ApiUser], case: dict[str, Any], candidate: dict[str, Any], tell: Narrator
) -> None:
    tell.step(
        "公安确认身份，写明依据；随后解封联系方式。",
        "The police confirm the identity and state the ground; then they release contact.",
    )
    grounds = {
        "candidate_id": candidate["id"],
        "method": "agreeing_reviews",
        "grounds": "两名比对员独立一致，籍贯、口音相符。",
    }
    who["police"].call("POST", f"/cases/{case['id']}/confirmation", json=grounds)
    contact = f"/cases/{case['id']}/family-contact"
    tell.refused("contact before the release", who["caseworker"].refused("GET", contact), "contact_sealed")
    path = f"/cases/{case['id']}/contact-release"
    suspected = {"wish": "wants_contact", "danger": "suspected"}
    tell.refused("release with danger at home", who["police"].refused("POST", path, json=suspected), "danger_suspected")
    who["police"].call("POST", path, json={"wish": "wants_contact", "danger": "no_sign"})
    tell.say("confirmed on two agreeing reviews; contact released")
    tell.refused("another station reads the contact", who["caseworker2"].refused("GET", contact), "not_found")
    tell.refused("the examiner reads the contact", who["examiner1"].refused("GET", contact), "forbidden")


def _bring_home(who: dict[str, ApiUser], case: dict[str, Any], today: date, tell: Narrator) -> None:
    tell.step(
        "社工通过当地派出所联系家属，家属来接，结案。",
        "The caseworker reaches the family through the local police; the family comes; the case closes.",
    )
    case_path = f"/cases/{case['id']}"
    contact = who["caseworker"].call("GET", f"{case_path}/family-contact")
    tell.say(f"opened for the caseworker: {', '.join(sorted(key for key, value in contact.items() if value))}")
    attempt = {"channel": "local_police", "result": "reached", "note": "演示", "attempted_at": utc_now().isoformat()}
    who["caseworker"].call("POST", f"{case_path}/contacts", json=attempt)
    outcome = {"kind": "reunited", "route": "face", "occurred_on": today.isoformat()}
    who["caseworker"].call("POST", f"{case_path}/outcomes", json=outcome)
    closing = {"state": "closed", "reason": "家属已接回"}
    who["caseworker"].call("POST", f"{case_path}/transitions", json=closing)
    tell.refused(
        "contact after closing", who["caseworker"].refused("GET", f"{case_path}/family-contact"), "contact_sealed"
    )
    history = who["station"].call("GET", f"{case_path}/history")["items"]
    tell.say(" → ".join(["draft", *(row["to_state"] for row in history)]))
    events = who["auditor"].call("GET", f"/audit?object_id={case['id']}&action=contact.read")["items"]
    tell.say(f"audit: the contact was read {len(events)} time(s), by the caseworker alone")


def _verify(database: Database, tell: Narrator) -> None:
    with read_only(database) as session:
        found = audit.verify(session)
    if not found.ok:
        raise Unexpected(f"the audit chain is broken: {found.reason}")
    tell.say("audit chain: whole")
