"""A man who lost wallet and phone (钱包手机丢失): his identity is known, he stays two days and goes."""

from datetime import timedelta
from typing import Any

from tracing.demo.client import Unexpected
from tracing.demo.stories import admission
from tracing.demo.stories.stage import Stage

RUNNING = frozenset({"open", "upcoming", "overdue", "paused"})


def play(stage: Stage) -> None:
    """A short stay without tracing, without a photograph, without a fingerprint."""
    case = _comes(stage)
    _is_not_traced(stage, case)
    _leaves(stage, case)


def _comes(stage: Stage) -> dict[str, Any]:
    tell, station = stage.tell, stage["station"]
    tell.step(
        "一名男子自己来到救助站：钱包和手机丢了，回不了家。他说得清自己是谁，不愿拍照，照样得到帮助。",
        "A man comes to the station himself: wallet and telephone are gone. He knows who he is and wants no photograph;"
        " help is the same.",
    )
    day = stage.today - timedelta(days=2)
    intake = {
        "admitted_on": day.isoformat(),
        "found_on": day.isoformat(),
        "found_division": "450702",
        "found_place": "火车站",
        "photo_refused": True,
        "attributes": [
            {"kind": "sex", "value": "male", "basis": "reported"},
            {"kind": "age", "value": "36", "basis": "reported"},
        ],
    }
    case = station.call("POST", "/cases", json=intake)
    path = f"/cases/{case['id']}"
    record = admission.known_man("演示 黄某", "广西贵港")
    station.call("PUT", f"{path}/admission", json={**record, "identity": None})
    tell.refused(
        "care of a known person without a name", station.refused("POST", f"{path}/care"), "stated_identity_missing"
    )
    station.call("PUT", f"{path}/admission", json=record)
    case = station.call("POST", f"{path}/care")
    tell.say(f"case {case['number']}: {case['state']}, {case['admission_kind']}, no photograph, no fingerprint")
    return case


def _is_not_traced(stage: Stage, case: dict[str, Any]) -> None:
    tell, station = stage.tell, stage["station"]
    tell.step(
        "身份明确：不进入人脸库，不比对，不复核，不走寻亲时限；姓名密封保存。",
        "His identity is known: no face search, no candidates, no review, none of the clocks of tracing; his name is"
        " sealed.",
    )
    path = f"/cases/{case['id']}"
    tell.refused("handing him in to be searched", station.refused("POST", f"{path}/submit"), "identity_known")
    if station.call("GET", f"{path}/candidates")["items"]:
        raise Unexpected("a person of known identity has candidates")
    clocks = [one["kind"] for one in station.call("GET", f"{path}/deadlines")["items"] if one["status"] in RUNNING]
    tell.say(f"clocks that run: {', '.join(clocks) or 'none'}")
    if any(kind in clocks for kind in ("police_query", "tracing_notice", "dna_request")):
        raise Unexpected("a clock of tracing runs for a person of known identity")
    queue = stage["examiner1"].call("GET", "/review/queue")["items"]
    if any(item["case"]["number"] == case["number"] for item in queue):
        raise Unexpected("an examiner is to judge a person of known identity")
    opened = station.call("GET", f"{path}/admission/sealed")
    tell.say(f"the station opens what is sealed: {', '.join(key for key, value in opened.items() if value)}; on record")
    curious = stage["examiner1"].refused("GET", f"{path}/admission/sealed")
    tell.refused("an examiner opens his name", curious, "forbidden", "not_found")


def _leaves(stage: Stage, case: dict[str, Any]) -> None:
    tell, station = stage.tell, stage["station"]
    tell.step(
        "补办了车票，第三天一早他自己离站。",
        "With a ticket in his hand he leaves by himself after two days.",
    )
    path = f"/cases/{case['id']}"
    reunited = {"kind": "reunited", "route": "interview", "occurred_on": stage.today.isoformat()}
    tell.refused(
        "a reunion that was none", station.refused("POST", f"{path}/outcomes", json=reunited),
        "illegal_transition",
    )  # fmt: skip
    station.call("POST", f"{path}/outcomes", json={"kind": "left", "occurred_on": stage.today.isoformat()})
    station.call("POST", f"{path}/transitions", json={"state": "closed", "reason": "自行离站返家"})
    stage.tell_history(case)
    events = stage["auditor"].call("GET", f"/audit?object_id={case['id']}")["items"]
    tell.say(f"audit: {len(events)} events, each with who and when, no name in any")
