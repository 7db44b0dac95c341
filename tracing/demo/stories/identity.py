"""Finding the name (查明身份): the search, the police's comparison, two blind examiners, confirmation and release."""

from typing import Any

from tracing.demo.client import Unexpected
from tracing.demo.seed import Person
from tracing.demo.stories.stage import Stage

SEARCHED = frozenset({"in_review", "unresolved"})


def early_refusals(stage: Stage, case: dict[str, Any]) -> None:
    """What nobody may do yet."""
    tell = stage.tell
    tell.step("没有人能跳过步骤。", "Nobody can skip a step.")
    contact = f"/cases/{case['id']}/family-contact"
    tell.refused("caseworker reads the contact", stage["caseworker"].refused("GET", contact), "contact_sealed")
    release = {"wish": "wants_contact", "danger": "no_sign"}
    path = f"/cases/{case['id']}/contact-release"
    tell.refused("release before confirmation", stage["police"].refused("POST", path, json=release), "not_confirmed")
    tell.refused("administrator releases", stage["admin"].refused("POST", path, json=release), "forbidden")


def search(stage: Stage, case: dict[str, Any], person: Person) -> dict[str, Any]:
    """The candidate that is the true report. Raises Unexpected when it is not among them."""
    tell, station = stage.tell, stage["station"]
    tell.step(
        "后台比对：人脸索引加逐项证据。", "The matching pass: nearest faces, then every attribute weighed as evidence."
    )
    station.wait_until(f"/cases/{case['id']}", lambda record: record["state"] in SEARCHED)
    listed = station.call("GET", f"/cases/{case['id']}/candidates")["items"]
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


def police_comparison(stage: Stage, case: dict[str, Any], candidate: dict[str, Any]) -> None:
    """The register's face comparison names the man: a lead, sealed for whoever has yet to judge."""
    tell = stage.tell
    tell.step(
        "公安人像比对提示了他的身份（外省）。人像只是线索，两名比对员还不知道。",
        "The police's face comparison names him (another province). A face is a lead and never the sole ground; the two"
        " examiners do not learn of it.",
    )
    path = f"/cases/{case['id']}/claims"
    result = {
        "method": "face",
        "obtained_on": stage.today.isoformat(),
        "officer": "演示 王警官",
        "candidate_id": candidate["id"],
    }
    made = stage["police"].call("POST", path, json=result)
    tell.say(f"grade: {made['grade']}")
    seen = stage["examiner1"].call("GET", path)["items"][0]
    if not seen["sealed"] or seen["candidate_id"] is not None:
        raise Unexpected("the examiner learns whom the comparison names before judging")
    confirm = {"candidate_id": candidate["id"], "method": "agreeing_reviews", "grounds": "人像比对"}
    place = f"/cases/{case['id']}/confirmation"
    tell.refused("a face lead confirms", stage["police"].refused("POST", place, json=confirm), "opinions_missing")


def review(stage: Stage, case: dict[str, Any], candidate: dict[str, Any]) -> None:
    """Two examiners: features first, then the candidate without scores, then the opinion."""
    tell = stage.tell
    tell.step(
        "两名比对民警各自先描述特征，再看候选，独立判断。",
        "Two examiners note his features first, then see the candidates, each blind to scores and to the other.",
    )
    path = f"/candidates/{candidate['id']}"
    for examiner in ("examiner1", "examiner2"):
        who = stage[examiner]
        queue = who.call("GET", "/review/queue")["items"]
        if [item["case"]["number"] for item in queue] != [case["number"]]:
            raise Unexpected(f"the case is not in the queue of {examiner}")
        if examiner == "examiner1":
            tell.refused("candidates before the features", who.refused("GET", path), "features_missing")
        _features(stage, examiner, case)
        before = who.call("GET", path)["candidate"]
        if not before["sealed"] or "log10_lr" in before or "terms" in before:
            raise Unexpected(f"scores are not sealed for {examiner}")
        opinion = {"opinion": "strongly_supports" if examiner == "examiner1" else "supports", "remarks": "演示"}
        who.call("POST", f"{path}/reviews", json=opinion)
        after = who.call("GET", path)["candidate"]
        tell.say(f"{examiner}: sealed before, then {opinion['opinion']}; now sees {len(after['reviews'])} opinion(s)")
        if examiner == "examiner1":
            confirm = {"candidate_id": candidate["id"], "method": "agreeing_reviews", "grounds": "一人意见"}
            place = f"/cases/{case['id']}/confirmation"
            tell.refused("one examiner confirms alone", who.refused("POST", place, json=confirm), "reviews_missing")
            tell.refused("the submitter confirms", stage["station"].refused("POST", place, json=confirm), "forbidden")


def _features(stage: Stage, examiner: str, case: dict[str, Any]) -> None:
    lists = {one["basis"]: one for one in stage[examiner].call("GET", "/review/features")["items"]}
    basis = "facial" if case["photos"] else next(basis for basis in lists if basis != "facial")
    noted = [{"feature": one["key"], "text": "中等"} for one in lists[basis]["features"][:3]]
    noted += [{"feature": one["key"], "text": None} for one in lists[basis]["features"][3:5]]
    made = stage[examiner].call(
        "POST", f"/cases/{case['id']}/features", json={"basis": basis, "features": noted}
    )  # fmt: skip
    stage.tell.say(f"{examiner}: {len(made['features'])} features noted ({made['list_version']}, {basis})")


def confirm_and_release(stage: Stage, case: dict[str, Any], candidate: dict[str, Any]) -> None:
    """The police decide, ask the man what he wants, and release contact."""
    tell, police = stage.tell, stage["police"]
    tell.step(
        "公安确认身份，写明依据；问过本人意愿、排除危险后解封联系方式。",
        "The police confirm the identity and state the ground; asked what he wants, and with no sign of danger, they"
        " release contact.",
    )
    grounds = {
        "candidate_id": candidate["id"],
        "method": "agreeing_reviews",
        "grounds": "两名比对员独立一致，人像比对、籍贯、口音相符。",
    }
    police.call("POST", f"/cases/{case['id']}/confirmation", json=grounds)
    stage.told("station", "case_identified")
    contact = f"/cases/{case['id']}/family-contact"
    tell.refused("contact before the release", stage["caseworker"].refused("GET", contact), "contact_sealed")
    path = f"/cases/{case['id']}/contact-release"
    suspected = {"wish": "wants_contact", "danger": "suspected"}
    tell.refused("release with danger at home", police.refused("POST", path, json=suspected), "danger_suspected")
    police.call("POST", path, json={"wish": "wants_contact", "danger": "no_sign"})
    stage.told("caseworker", "contact_released")
    tell.say("confirmed on two agreeing reviews; contact released")
    tell.refused("another station reads the contact", stage["caseworker2"].refused("GET", contact), "not_found")
    tell.refused("the examiner reads the contact", stage["examiner1"].refused("GET", contact), "forbidden")
