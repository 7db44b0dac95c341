"""Qinzhou (钦州): a man who cannot say who he is goes home to another province."""

from pathlib import Path
from typing import Any

from tracing.demo.client import Unexpected
from tracing.demo.seed import Person
from tracing.demo.stories.stage import Stage, facts_body, report_body
from tracing.platform.clock import utc_now

SEARCHED = frozenset({"in_review", "unresolved"})


def play(stage: Stage) -> None:
    """From the families' reports to the closing of the case."""
    tell = stage.tell
    tell.step(
        "毕节：家属报失踪，公安登记寻人信息。",
        "Bijie: families report their missing; the police there register the reports.",
    )
    for name, person in stage.persons.items():
        _register(stage, person, stage.photos.get(name, [])[:1])
    tell.say(f"{len(stage.persons)} reports are in the search; their families' details are sealed.")
    name, missing = next(iter(stage.persons.items()))
    case = _admit(stage, missing, stage.photos.get(name, [])[1:])
    _early_refusals(stage, case)
    candidate = _search(stage, case, missing)
    _review(stage, case, candidate)
    _confirm_and_release(stage, case, candidate)
    _bring_home(stage, case)


def _register(stage: Stage, person: Person, photos: list[Path]) -> None:
    police = stage["police2"]
    report = police.call("POST", "/reports", json=report_body(person, stage.today))
    for photo in photos:
        police.call("POST", f"/reports/{report['id']}/photos", photo=photo)
    police.call("POST", f"/reports/{report['id']}/publish")
    police.wait_until(
        f"/reports/{report['id']}", lambda record: all(photo["analysis"] != "pending" for photo in record["photos"])
    )


def _admit(stage: Stage, person: Person, photos: list[Path]) -> dict[str, Any]:
    tell = stage.tell
    tell.step(
        "钦州：社区联络员发现一名男子，救助站接回，他说不清自己是谁。",
        "Qinzhou: a community liaison reports a man near a housing estate; the station takes him in.",
    )
    intake = {
        "admitted_on": stage.today.isoformat(),
        "found_on": stage.today.isoformat(),
        "found_division": "450702",
        "found_place": "演示小区附近",
        **facts_body(person.seen()),
    }
    wrong = {**intake, "attributes": [{"kind": "height", "value": "1.72", "basis": "measured"}]}
    tell.refused("a height in metres", stage["station"].refused("POST", "/cases", json=wrong), "invalid_facts")
    case = stage["station"].call("POST", "/cases", json=intake)
    tell.say(f"case {case['number']}: heard {person.heard!r}, apparent age {person.age + 4}, accent {person.accent}")
    path = f"/cases/{case['id']}/photos"
    tell.refused("not a photograph", stage["station"].refused_photo(path, b"hello"), "photo_unknown_format")
    if photos:
        cut = photos[0].read_bytes()[:4000]
        tell.refused("half a photograph", stage["station"].refused_photo(path, cut), "photo_truncated")
    for photo in photos[:2]:
        stored = stage["station"].call("POST", path, photo=photo)
        tell.say(f"photograph stored, sealed: {stored['width']}×{stored['height']}")
    stage["station"].call("POST", f"/cases/{case['id']}/submit")
    return case


def _early_refusals(stage: Stage, case: dict[str, Any]) -> None:
    tell = stage.tell
    tell.step("没有人能跳过步骤。", "Nobody can skip a step.")
    contact = f"/cases/{case['id']}/family-contact"
    tell.refused("caseworker reads the contact", stage["caseworker"].refused("GET", contact), "contact_sealed")
    release = {"wish": "wants_contact", "danger": "no_sign"}
    path = f"/cases/{case['id']}/contact-release"
    tell.refused("release before confirmation", stage["police"].refused("POST", path, json=release), "not_confirmed")
    tell.refused("administrator releases", stage["admin"].refused("POST", path, json=release), "forbidden")


def _search(stage: Stage, case: dict[str, Any], person: Person) -> dict[str, Any]:
    tell = stage.tell
    tell.step(
        "后台比对：人脸索引加逐项证据。", "The matching pass: nearest faces, then every attribute weighed as evidence."
    )
    stage["station"].wait_until(f"/cases/{case['id']}", lambda record: record["state"] in SEARCHED)
    listed = stage["station"].call("GET", f"/cases/{case['id']}/candidates")["items"]
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


def _review(stage: Stage, case: dict[str, Any], candidate: dict[str, Any]) -> None:
    tell = stage.tell
    tell.step("两名比对民警各自独立判断。", "Two examiners judge independently, each blind to scores and to the other.")
    path = f"/candidates/{candidate['id']}"
    for examiner in ("examiner1", "examiner2"):
        queue = stage[examiner].call("GET", "/review/queue")["items"]
        if [item["case"]["number"] for item in queue] != [case["number"]]:
            raise Unexpected(f"the case is not in the queue of {examiner}")
        before = stage[examiner].call("GET", path)["candidate"]
        if not before["sealed"] or "log10_lr" in before or "terms" in before:
            raise Unexpected(f"scores are not sealed for {examiner}")
        opinion = {"opinion": "strongly_supports" if examiner == "examiner1" else "supports", "remarks": "演示"}
        stage[examiner].call("POST", f"{path}/reviews", json=opinion)
        after = stage[examiner].call("GET", path)["candidate"]
        tell.say(f"{examiner}: sealed before, then {opinion['opinion']}; now sees {len(after['reviews'])} opinion(s)")
        if examiner == "examiner1":
            confirm = {"candidate_id": candidate["id"], "method": "agreeing_reviews", "grounds": "一人意见"}
            place = f"/cases/{case['id']}/confirmation"
            tell.refused(
                "one examiner confirms alone",
                stage["examiner1"].refused("POST", place, json=confirm),
                "reviews_missing",
            )
            tell.refused("the submitter confirms", stage["station"].refused("POST", place, json=confirm), "forbidden")


def _confirm_and_release(stage: Stage, case: dict[str, Any], candidate: dict[str, Any]) -> None:
    tell = stage.tell
    tell.step(
        "公安确认身份，写明依据；随后解封联系方式。",
        "The police confirm the identity and state the ground; then they release contact.",
    )
    grounds = {
        "candidate_id": candidate["id"],
        "method": "agreeing_reviews",
        "grounds": "两名比对员独立一致，籍贯、口音相符。",
    }
    stage["police"].call("POST", f"/cases/{case['id']}/confirmation", json=grounds)
    contact = f"/cases/{case['id']}/family-contact"
    tell.refused("contact before the release", stage["caseworker"].refused("GET", contact), "contact_sealed")
    path = f"/cases/{case['id']}/contact-release"
    suspected = {"wish": "wants_contact", "danger": "suspected"}
    tell.refused(
        "release with danger at home", stage["police"].refused("POST", path, json=suspected), "danger_suspected"
    )
    stage["police"].call("POST", path, json={"wish": "wants_contact", "danger": "no_sign"})
    tell.say("confirmed on two agreeing reviews; contact released")
    tell.refused("another station reads the contact", stage["caseworker2"].refused("GET", contact), "not_found")
    tell.refused("the examiner reads the contact", stage["examiner1"].refused("GET", contact), "forbidden")


def _bring_home(stage: Stage, case: dict[str, Any]) -> None:
    tell = stage.tell
    tell.step(
        "社工通过当地派出所联系家属，家属来接，结案。",
        "The caseworker reaches the family through the local police; the family comes; the case closes.",
    )
    case_path = f"/cases/{case['id']}"
    contact = stage["caseworker"].call("GET", f"{case_path}/family-contact")
    tell.say(f"opened for the caseworker: {', '.join(sorted(key for key, value in contact.items() if value))}")
    attempt = {"channel": "local_police", "result": "reached", "note": "演示", "attempted_at": utc_now().isoformat()}
    stage["caseworker"].call("POST", f"{case_path}/contacts", json=attempt)
    outcome = {"kind": "reunited", "route": "face", "occurred_on": stage.today.isoformat()}
    stage["caseworker"].call("POST", f"{case_path}/outcomes", json=outcome)
    closing = {"state": "closed", "reason": "家属已接回"}
    stage["caseworker"].call("POST", f"{case_path}/transitions", json=closing)
    tell.refused(
        "contact after closing", stage["caseworker"].refused("GET", f"{case_path}/family-contact"), "contact_sealed"
    )
    history = stage["station"].call("GET", f"{case_path}/history")["items"]
    tell.say(" → ".join(["draft", *(row["to_state"] for row in history)]))
    events = stage["auditor"].call("GET", f"/audit?object_id={case['id']}&action=contact.read")["items"]
    tell.say(f"audit: the contact was read {len(events)} time(s), by the caseworker alone")
