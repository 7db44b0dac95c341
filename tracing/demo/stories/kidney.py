"""A man with kidney failure (肾衰竭): known identity, the green channel, and his home district's benefits."""

from datetime import timedelta
from typing import Any

from tracing.demo.client import Unexpected
from tracing.demo.stories import admission
from tracing.demo.stories.stage import Stage


def play(stage: Stage) -> None:
    """From the street to the hospital, and from there to those who can help for good."""
    case = _comes(stage)
    _refer(stage, case)
    _goes_home(stage, case)


def _comes(stage: Stage) -> dict[str, Any]:
    tell, station = stage.tell, stage["station"]
    tell.step(
        "一名男子浑身浮肿，倒在汽车站；他说得出自己的姓名和家乡毕节。",
        "A man lies at the coach station, swollen and weak; he can tell his name and his home, Bijie.",
    )
    day = stage.today - timedelta(days=1)
    intake = {
        "admitted_on": day.isoformat(),
        "found_on": day.isoformat(),
        "found_division": "450702",
        "found_place": "汽车总站",
        "attributes": [
            {"kind": "sex", "value": "male", "basis": "reported"},
            {"kind": "age", "value": "52", "basis": "reported"},
        ],
        "places": [{"division": "520502", "kind": "native", "basis": "reported"}],
    }
    case = station.call("POST", "/cases", json=intake)
    record = admission.known_man("演示 杨某", "贵州毕节七星关", medical_first=True)
    admission.to_hospital(stage, case, record, complaint="慢性肾衰竭，全身浮肿，需急诊透析", ward="肾内科")
    case = station.call("POST", f"/cases/{case['id']}/care")
    tell.say(f"case {case['number']}: {case['state']}; he was in the ward before his papers were done")
    return case


def _refer(stage: Stage, case: dict[str, Any]) -> None:
    tell, station, benefits = stage.tell, stage["station"], stage["benefits"]
    tell.step(
        "长期透析要有低保和医保：救助站向他家乡的低保受理中心转介（跨省）。",
        "Dialysis for years needs benefits: the station refers him to the benefits office of his home, in another"
        " province.",
    )
    path = f"/cases/{case['id']}"
    offices = station.call("GET", "/referrals/receivers?kind=low_income&division=5205")["items"]
    letter = {
        "kind": "low_income",
        "receiver_id": offices[0]["id"],
        "summary": "演示 杨某，肾衰竭，需长期透析，无收入，请协助申请低保和医疗救助。",
        "facts": ["sex", "age", "home"],
    }
    draft = station.call("POST", f"{path}/referrals", json=letter)
    there = f"/referrals/{draft['id']}"
    tell.refused("the office reads a draft", benefits.refused("GET", there), "not_found", "forbidden")
    station.call("POST", f"{there}/send")
    tell.refused("a letter changed after it was sent", station.refused("PUT", there, json=letter), "referral_sent")
    stage.told("benefits", "referral_sent")
    read = benefits.call("GET", there)
    if read["case_id"] is not None:
        raise Unexpected("the receiving unit learns the case's id")
    tell.say(f"the office reads: {read['content']['summary']} {sorted(read['content']['facts'])}")
    tell.refused("the office reads the case", benefits.refused("GET", path), "not_found")
    tell.refused("the hospital reads that letter", stage["health"].refused("GET", there), "not_found")
    tell.refused(
        "the station accepts for the office", station.refused("POST", f"{there}/accept"), "forbidden", "not_found"
    )
    benefits.call("POST", f"{there}/accept")
    benefits.call("POST", f"{there}/done", json={"text": "低保已受理，自下月起发放；医疗救助同步办理。"})
    stage.told("station", "referral_answered")
    answers = station.call("GET", there)["content"]["answers"]
    tell.say(f"answer: {answers[-1]['text']}")


def _goes_home(stage: Stage, case: dict[str, Any]) -> None:
    tell, station, home = stage.tell, stage["station"], stage["station2"]
    tell.step(
        "病情稳定后转回家乡救助站，书面告知；家乡站回复接收。",
        "When he is stable he goes to the station of his home, with a written notice; that station answers that it"
        " takes him over.",
    )
    path = f"/cases/{case['id']}"
    today = stage.today.isoformat()
    station.call("POST", f"{path}/outcomes", json={"kind": "hospital", "occurred_on": today})
    outcome = {"kind": "transferred", "occurred_on": today}
    tell.refused(
        "a transfer without a written notice", station.refused("POST", f"{path}/outcomes", json=outcome),
        "transfer_notice_missing",
    )  # fmt: skip
    receiver = home.call("GET", "/me")["organisation_id"]
    notice = {"document_number": "演示〔2026〕1号", "organisation_id": receiver, "sent_on": today}
    station.call("POST", f"{path}/outcomes", json={**outcome, "transfer": notice})
    waiting = home.call("GET", "/home-notices")["items"]
    home.call("POST", f"/home-notices/{waiting[0]['id']}/answer", json={"answer": "takes_over"})
    station.call("POST", f"{path}/transitions", json={"state": "closed", "reason": "家乡救助站已接收"})
    tell.say("the station of his home takes him over")
    stage.tell_history(case)
