"""Admissions (入站) of the stories: what is recorded at intake, and the green channel to the hospital."""

from pathlib import Path
from typing import Any

from tracing.demo.client import Unexpected
from tracing.demo.stories.stage import Stage
from tracing.platform.clock import utc_now


def unknown_man() -> dict[str, Any]:
    """The record of somebody who cannot say who he is, and is ill."""
    return {
        "kind": "unknown_identity",
        "medical_first": True,
        "safety_check": "done",
        "safety_checked_at": utc_now().isoformat(),
        "safety_checker": "演示 陈某",
        "findings": "无危险物品",
        "belongings": [{"item": "布包", "quantity": 1, "kept": "站内保管"}],
        "fingerprints": "taken",
        "handover_officer": "演示 王警官",
        "handover_unit": "演示派出所",
        "basis": "statutory_duty",
    }


def known_man(name: str, home: str, *, medical_first: bool = False) -> dict[str, Any]:
    """The record of somebody who says who he is."""
    return {
        "kind": "known_identity",
        "medical_first": medical_first,
        "safety_check": "done",
        "safety_checked_at": utc_now().isoformat(),
        "safety_checker": "演示 陈某",
        "fingerprints": "not_taken",
        "fingerprint_reason": "身份明确，无需采集",
        "basis": "none",
        "identity": {"name": name, "home": home},
    }


def refuse_bad_photos(stage: Stage, case: dict[str, Any], photos: list[Path]) -> None:
    """More photographs, and what is none."""
    tell, station = stage.tell, stage["station"]
    path = f"/cases/{case['id']}/photos"
    tell.refused("not a photograph", station.refused_photo(path, b"hello"), "photo_unknown_format")
    if photos:
        cut = photos[0].read_bytes()[:4000]
        tell.refused("half a photograph", station.refused_photo(path, cut), "photo_truncated")
    for photo in photos[:1]:
        stored = station.call("POST", path, photo=photo)
        tell.say(f"photograph stored, sealed: {stored['width']}×{stored['height']}")


def to_hospital(stage: Stage, case: dict[str, Any], record: dict[str, Any], *, complaint: str, ward: str) -> None:
    """Record the admission and hand the person over to the designated hospital, which receives him."""
    tell, station, health = stage.tell, stage["station"], stage["health"]
    tell.step(
        "先救治：安全检查、随身物品登记后，经绿色通道送医；入站手续同时进行。",
        "The hospital comes first: safety check and belongings, then the green channel; the admission goes on"
        " meanwhile.",
    )
    path = f"/cases/{case['id']}"
    station.call("PUT", f"{path}/admission", json=record)
    hospital = station.call("GET", "/referrals/receivers?kind=medical&division=4507")["items"][0]
    brought = {
        "hospital_id": hospital["id"],
        "officer": "演示 陈某",
        "complaint": complaint,
        "handed_at": utc_now().isoformat(),
    }
    handover = station.call("POST", f"{path}/handovers", json=brought)
    stage.told("health", "referral_sent")
    there = health.call("GET", "/handovers")["items"]
    if [one["case_number"] for one in there if one["id"] == handover["id"]] != [case["number"]]:
        raise Unexpected("the hospital does not see whom it was brought")
    arrived = {"received_at": utc_now().isoformat(), "ward": ward}
    health.call("POST", f"/handovers/{handover['id']}/receive", json=arrived)
    tell.say(f"handed over to {hospital['name_zh']}, received: {ward}")
    tell.refused("the hospital reads the case", health.refused("GET", path), "not_found")
