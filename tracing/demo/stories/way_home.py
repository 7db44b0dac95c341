"""The way home (回家): the first call, the family comes, and how it goes on."""

from typing import Any

from tracing.demo.stories.stage import Stage
from tracing.platform.clock import utc_now

CALL_BACK = "0777-0000000"
QUESTIONS = ("您家里有没有人走失？", "家里人平时怎么称呼他？")


def reach_family(stage: Stage, case: dict[str, Any]) -> dict[str, Any]:
    """The caseworker calls through the police of the family's place; the family's details as they were opened."""
    tell, caseworker = stage.tell, stage["caseworker"]
    tell.step(
        "社工通过当地派出所联系家属，留下回拨电话，按话术只问开放式问题。",
        "The caseworker reaches the family through the police of their place, with a number to call back; the script"
        " asks open questions and never tells marks.",
    )
    path = f"/cases/{case['id']}"
    script = caseworker.call("GET", "/contact-script")
    tell.say(f"script {script['version']}: {script['questions'][0]['zh']}")
    plan = {"channel": "local_police", "unit": "演示派出所", "call_back_number": CALL_BACK}
    caseworker.call("POST", f"{path}/contact-plan", json=plan)
    contact = caseworker.call("GET", f"{path}/family-contact")
    tell.say(f"opened for the caseworker: {', '.join(sorted(key for key, value in contact.items() if value))}")
    attempt = {"channel": "telephone", "result": "reached", "note": "演示", "attempted_at": utc_now().isoformat()}
    tell.refused(
        "a first call straight to the family",
        caseworker.refused("POST", f"{path}/contacts", json=attempt), "local_first",
    )  # fmt: skip
    caseworker.call("POST", f"{path}/contacts", json={**attempt, "channel": "local_police"})
    tell.say("reached through the local police; the family sets out")
    return contact


def family_comes(stage: Stage, case: dict[str, Any], contact: dict[str, Any]) -> None:
    """Kin are verified, somebody signs, the case closes and seals itself."""
    tell, caseworker = stage.tell, stage["caseworker"]
    tell.step(
        "家属来接：核实亲属关系后签字交接，结案。",
        "The family comes: kinship is verified, a relative signs, he goes home; the case closes.",
    )
    path = f"/cases/{case['id']}"
    relation = contact["relation"] or "亲属"
    outcome = {
        "kind": "reunited",
        "route": "face",
        "occurred_on": stage.today.isoformat(),
        "handover": {"name": contact["name"], "relation": relation, "reference": "交接-演示-1"},
    }
    tell.refused(
        "handover before the kin are verified",
        caseworker.refused("POST", f"{path}/outcomes", json=outcome), "kin_not_verified",
    )  # fmt: skip
    kin = {
        "relative": contact["name"],
        "relation": relation,
        "questions": [{"question": one, "answer": "演示回答", "agrees": True} for one in QUESTIONS],
        "documents": [{"kind": "household_booklet", "reference": "演示"}],
        "verified": True,
    }
    caseworker.call("POST", f"{path}/kin-verifications", json=kin)
    tell.say("kin verified: open questions, household booklet")
    caseworker.call("POST", f"{path}/outcomes", json=outcome)
    rows = stage["station"].call("GET", "/return-ledger")["items"]
    tell.say(f"return-home ledger: {len(rows)} line(s), signed: {rows[0]['handover_signed']}")
    caseworker.call("POST", f"{path}/transitions", json={"state": "closed", "reason": "家属已接回"})
    tell.refused("contact after closing", caseworker.refused("GET", f"{path}/family-contact"), "contact_sealed")
    stage.tell_history(case)
    events = stage["auditor"].call("GET", f"/audit?object_id={case['id']}&action=contact.read")["items"]
    tell.say(f"audit: the contact was read {len(events)} time(s), by the caseworker alone")


def follow_up(stage: Stage, case: dict[str, Any]) -> None:
    """The first visit of the plan."""
    tell, caseworker = stage.tell, stage["caseworker"]
    tell.step("回访开始：按计划回访，直到生活稳定。", "Follow-up begins, and goes on until life is stable.")
    path = f"/cases/{case['id']}"
    plan = caseworker.call("GET", f"{path}/follow-up")
    tell.say(f"{len(plan['plan'])} visits are planned")
    visit = {
        "method": "phone",
        "result": "met",
        "visited_at": utc_now().isoformat(),
        "visitor": "演示 社工",
        "present": ["person", "family"],
        "assessment": {one["key"]: "good" for one in plan["domains"]},
    }
    half = {**visit, "assessment": {"housing": "good"}}
    tell.refused(
        "half an assessment", caseworker.refused("POST", f"{path}/visits", json=half), "invalid_facts",
    )  # fmt: skip
    caseworker.call("POST", f"{path}/visits", json=visit)
    tell.refused(
        "an end after a single visit",
        caseworker.refused("POST", f"{path}/follow-up/end", json={"reason": "stable"}), "not_stable",
    )  # fmt: skip
    tell.say("one visit made, everything good; the next ones stay due")
