"""Qinzhou (钦州, 2023): a man who cannot say who he is has gone, is found, and goes home to another province."""

from datetime import timedelta
from typing import Any

from tracing.demo.stories import admission, identity, way_home
from tracing.demo.stories.stage import Stage, facts_body, register_reports
from tracing.platform.clock import utc_now


def play(stage: Stage) -> None:
    """From the families' reports and a citizen's call to the first follow-up."""
    register_reports(stage)
    name, missing = next(iter(stage.persons.items()))
    photos = stage.photos.get(name, [])[1:]
    sighting = _citizen_calls(stage, photos[:1])
    lookout = _he_has_gone(stage, sighting)
    seen = _liaison_sees_him(stage, lookout)
    case = _found(stage, lookout, seen, facts_body(missing.seen()))
    admission.refuse_bad_photos(stage, case, photos[1:])
    admission.to_hospital(
        stage, case, admission.unknown_man(), complaint="神志不清，脱水，需急诊评估", ward="急诊观察室"
    )
    case = stage["station"].call("POST", f"/cases/{case['id']}/submit")
    _heard(stage, case)
    identity.early_refusals(stage, case)
    candidate = identity.search(stage, case, missing)
    identity.police_comparison(stage, case, candidate)
    identity.review(stage, case, candidate)
    identity.confirm_and_release(stage, case, candidate)
    contact = way_home.reach_family(stage, case)
    way_home.family_comes(stage, case, contact)
    way_home.follow_up(stage, case)


def _citizen_calls(stage: Stage, photos: list[Any]) -> dict[str, Any]:
    tell, station = stage.tell, stage["station"]
    tell.step(
        "钦州：市民来电，金海湾广场有一名男子举止异常，并发来照片。救助站值班人员登记。",
        "Qinzhou: a citizen calls about a man on Jinhaiwan square who behaves oddly, and sends a photograph. The"
        " station's staff write it down.",
    )
    seen = {
        "source": "citizen",
        "seen_at": (utc_now() - timedelta(hours=20)).isoformat(),
        "division": "450702",
        "place": "金海湾广场",
        "latitude": 21.9455,
        "longitude": 108.6150,
        "heading": "stayed",
        "conditions": ["confused", "poorly_clothed"],
        "words": "自言自语，不答话，灰色外套",
    }
    without = station.call("POST", "/sightings", json=seen)
    if photos:
        path = f"/sightings/{without['id']}/photos"
        tell.refused(
            "a photograph without a ground for taking it",
            station.refused_photo(path, photos[0].read_bytes()), "photo_basis_missing",
        )  # fmt: skip
    station.call("POST", f"/sightings/{without['id']}/withdraw", json={"reason": "照片依据漏填，重新登记"})
    sighting = station.call("POST", "/sightings", json={**seen, "photo_basis": "statutory_duty"})
    for photo in photos:
        station.call("POST", f"/sightings/{sighting['id']}/photos", photo=photo)
    tell.say(f"sighting recorded, {len(photos)} photograph(s) sealed under the key of the man in it")
    return sighting


def _he_has_gone(stage: Stage, sighting: dict[str, Any]) -> dict[str, Any]:
    tell, station, liaison = stage.tell, stage["station"], stage["liaison"]
    tell.step(
        "巡查人员带着衣物食品赶到，人已离开；救助站发布协查，照片只到辖区的社区联络员。",
        "A patrol arrives with clothes and food, and he has gone. The station looks out for him: his photograph goes to"
        " the liaisons of the county, and to nobody else.",
    )
    begun = utc_now() - timedelta(hours=19)
    walk = {
        "route": "救助站—金海湾广场—钦州湾大道",
        "started_at": begun.isoformat(),
        "ended_at": (begun + timedelta(hours=2)).isoformat(),
        "members": 3,
        "people_met": 2,
        "aid": {"food": 2, "advice": 1},
    }
    patrol = station.call("POST", "/patrols", json=walk)
    tell.say(f"patrol: {patrol['members']} people, {patrol['people_met']} met, the man not among them")
    asked = {"sighting_id": sighting["id"], "words": "灰色外套，不答话；请勿追赶，见到请报告方向"}
    lookout = station.call("POST", "/lookouts", json=asked)
    tell.refused(
        "a second lookout for the same man", station.refused("POST", "/lookouts", json=asked), "lookout_open_already"
    )
    stage.told("liaison", "lookout_opened")
    found = liaison.call("GET", f"/lookouts/{lookout['id']}")
    tell.say(f"the liaison reads: {found['words']}")
    if found["photo"]:
        liaison.picture(f"/lookouts/{lookout['id']}/photo")
        tell.say("the liaison opens the photograph; the look is on record")
    path = f"/lookouts/{lookout['id']}"
    tell.refused("another province reads the lookout", stage["station2"].refused("GET", path), "not_found")
    tell.refused("the hospital reads the lookout", stage["health"].refused("GET", path), "forbidden")
    return lookout


def _liaison_sees_him(stage: Stage, lookout: dict[str, Any]) -> dict[str, Any]:
    tell, liaison, station = stage.tell, stage["liaison"], stage["station"]
    tell.step(
        "第二天，社区联络员在梦园小区附近看到他，正往金海湾东大街走。",
        "The next day a community liaison sees him near the Mengyuan estate, walking towards Jinhaiwan East Street.",
    )
    seen = {
        "source": "community",
        "seen_at": (utc_now() - timedelta(minutes=30)).isoformat(),
        "division": "450702",
        "place": "梦园小区南门",
        "latitude": 21.9600,
        "longitude": 108.6330,
        "heading": "east",
        "road": "金海湾东大街",
        "conditions": ["confused"],
    }
    answer = liaison.call("POST", f"/lookouts/{lookout['id']}/answers", json={"sighting": seen})
    stage.told("station", "lookout_answered")
    points = station.call("GET", f"/lookouts/{lookout['id']}/track")["items"]
    track = " → ".join(f"{point['place']}{' ' + point['road'] if point['road'] else ''}" for point in points)
    tell.say(f"track: {track} ({points[-1]['km']} km, pace {points[-1]['pace']})")
    return answer


def _found(stage: Stage, lookout: dict[str, Any], answer: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    tell, station = stage.tell, stage["station"]
    tell.step(
        "救助站和民警在路上找到他，接回站里；协查随即结束，照片在联络员处不能再打开。",
        "Station and police find him on that road. The sighting becomes the case; the lookout ends at once, and its"
        " photograph opens for no liaison any more.",
    )
    wrong = {"attributes": [{"kind": "height", "value": "1.72", "basis": "measured"}]}
    path = f"/sightings/{answer['sighting_id']}/case"
    tell.refused("a height in metres", station.refused("POST", path, json=wrong), "invalid_facts")
    tell.refused("the liaison admits him", stage["liaison"].refused("POST", path, json=facts), "forbidden")
    case = station.call("POST", path, json=facts)
    tell.say(f"case {case['number']} begins as a draft, with {len(case['photos'])} photograph(s)")
    stage.told("liaison", "lookout_ended")
    photo = f"/lookouts/{lookout['id']}/photo"
    tell.refused("the liaison's photograph", stage["liaison"].refused("GET", photo), "lookout_ended", "not_found")
    before = station.call("GET", f"/cases/{case['id']}/sightings")
    tell.say(
        f"the case tells what came before: {len(before['sightings'])} sightings, {len(before['lookouts'])} lookout"
    )
    return case


def _heard(stage: Stage, case: dict[str, Any]) -> None:
    tell = stage.tell
    tell.step(
        "社工和他聊天：他想吃家乡的菜。每一句都记下来。",
        "The caseworker talks with him: he wants a dish from home. Each scrap is written down.",
    )
    heard = {
        "heard_at": utc_now().isoformat(),
        "clues": [{"kind": "food", "text": "折耳根", "confidence": "likely"}],
    }
    stage["caseworker"].call("POST", f"/cases/{case['id']}/clues", json=heard)
    clues = stage["station"].call("GET", f"/cases/{case['id']}/clues")["items"]
    tell.say(f"clues: {', '.join(str(clue['text']) for clue in clues)}")
