"""Qinzhou, in the street (钦州): a citizen calls, the man has gone, the network looks out for him, he is found."""

from datetime import timedelta
from pathlib import Path

from models.case import CaseState
from models.lookout import LookoutEnd
from models.patrol import AidKind
from models.sighting import Condition, Heading, PhotoBasis, SightingSource
from models.user import Role
from tests.browser.cast import Actor, Cast
from tests.factories.records import FAMILY
from tests.factories.world import World
from tracing.fact_errors import HeightInMetres
from tracing.notification_policy import policy

NAME = "梁志强"
SQUARE, ESTATE, ROAD = "金海湾广场", "梦园小区南门", "金海湾东大街"
CALL = "自言自语，不答话，灰色外套"
LOOK_FOR = "灰色外套，不答话；请勿追赶，见到请报告方向"


def said(actor: Actor, kind: str) -> str:
    """What a notification of this kind says in the actor's inbox."""
    return policy().kinds[kind].words(actor.words.locale)


def family_reports(cast: Cast, world: World, photos: list[Path]) -> None:
    """Another province: the police take a family's report; the family's own details are sealed at once."""
    police = cast(world.b.users[Role.POLICE_EXAMINER])
    police.follow("Take a missing-person report")
    seen = police.within("Last seen")
    last_seen = police.clock() - timedelta(days=40)
    seen.write("Day", f"{last_seen:%Y-%m-%d}").write("Province, city or county", "思明区")
    if photos:
        police.put("Choose photographs", photos[:1])
    police.choose("AttributeKind.sex", "Sex.male")
    police.write("AttributeKind.age", "47").write("AttributeKind.height", "184")
    police.group("Name {number}", number=1).write("Name", NAME)
    family = police.within("Family contact")
    family.write("Name", FAMILY.name or "").write("Relation", FAMILY.relation or "")
    family.write("Telephone", FAMILY.telephone or "").write("Address", FAMILY.address or "")
    police.press("Save and publish to the search")
    police.reads(NAME).lacks(FAMILY.name or "", FAMILY.telephone or "")
    police.reads_words("Sealed. It is opened only after the police have confirmed the identity and released contact.")


def citizen_calls(cast: Cast, world: World, photos: list[Path]) -> None:
    """The man on duty writes down what a citizen tells, with the photograph that came by telephone."""
    staff = cast(world.a.users[Role.STATION_STAFF])
    staff.enter("Sightings and lookouts").follow("Sightings").follow("Record a sighting")
    staff.write("County or district", "钦南区").write("Place, road, landmark", SQUARE)
    staff.write("Latitude", "21.9455").write("Longitude", "108.6150")
    staff.choose("Which way", Heading.STAYED)
    if photos:
        staff.put("Photographs", photos[:1])
        staff.needs("On what ground is the photograph taken?")
        staff.choose("On what ground is the photograph taken?", PhotoBasis.STATUTORY_DUTY)
    staff.tick(Condition.CONFUSED).tick(Condition.POORLY_CLOTHED)
    staff.write("In words", CALL).choose("Who saw the person", SightingSource.CITIZEN)
    staff.press("Record")
    staff.reads(SQUARE, CALL).reads_label(Condition.CONFUSED)


def he_has_gone(cast: Cast, world: World, *, photographed: bool) -> None:
    """The patrol comes with clothes and food, and he is not there any more. The liaisons of the county are asked."""
    here = world.a
    staff = cast(here.users[Role.STATION_STAFF]).enter("Sightings and lookouts")
    staff.follow("Patrols").follow("Record a patrol")
    staff.write("Route", f"救助站—{SQUARE}—钦州湾大道")
    staff.write("Started", staff.moment(hours=-2)).write("Ended", staff.moment())
    staff.write("People on patrol", "3").write("People met", "2")
    given = staff.group("What was given, how often")
    given.write(staff.words.label(AidKind.FOOD), "2").write(staff.words.label(AidKind.ADVICE), "1")
    staff.press("Record").reads(SQUARE)

    staff.enter("Sightings and lookouts").follow("Sightings")
    staff.item(SQUARE).open("")
    staff.write("What to look for", LOOK_FOR).press("Look out for this person")
    staff.reads(LOOK_FOR).reads_words("Nobody has answered yet.")

    liaison = cast(here.users[Role.COMMUNITY_LIAISON])
    liaison.read_inbox(said(liaison, "lookout_opened")).reads(LOOK_FOR).lacks(CALL)
    if photographed:
        liaison.shows(liaison.say("Photograph of the person looked for"))
    liaison.has_no_room("Cases")
    neighbour = cast(here.sister_staff).enter("Sightings and lookouts").lacks(LOOK_FOR)
    staff.press("Widen it now")
    neighbour.enter("Sightings and lookouts").reads(LOOK_FOR).reads_words("asked by a neighbour")
    stranger = cast(world.b.users[Role.STATION_STAFF]).enter("Sightings and lookouts")
    stranger.reads_words(
        "Nobody is looked for. A lookout begins with a sighting, or with a case whose person has gone."
    )
    cast(here.users[Role.HEALTH_LIAISON]).has_no_room("Sightings and lookouts")


def liaison_sees_him(cast: Cast, world: World) -> None:
    """The next day a community liaison sees him by a housing estate, on his way to a named road."""
    liaison = cast(world.a.users[Role.COMMUNITY_LIAISON])
    liaison.enter("Sightings and lookouts").open(liaison.say("钦南区"))
    liaison.unfold("Seen here")
    liaison.write("Place, road, landmark", ESTATE)
    liaison.write("Latitude", "21.9600").write("Longitude", "108.6330")
    liaison.unfold("More: which way, how the person seemed, in words")
    liaison.choose("Which way", Heading.EAST).write("Towards which road", ROAD).tick(Condition.CONFUSED)
    liaison.press("Send: seen here")
    liaison.reads(ESTATE)

    staff = cast(world.a.users[Role.STATION_STAFF])
    staff.read_inbox(said(staff, "lookout_answered"))
    staff.reads(SQUARE, ESTATE).reads_words("towards {road}", road=ROAD)


def he_is_found(cast: Cast, world: World, photos: list[Path]) -> str:
    """Station and police find him on that road: the sighting becomes the case, and the lookout ends. Its number."""
    staff = cast(world.a.users[Role.STATION_STAFF])
    staff.enter("Sightings and lookouts").follow("Sightings").item(ESTATE).open("")
    staff.press("Admit this person")
    number = staff.case_number()
    staff.open(number).state(CaseState.DRAFT)
    staff.follow("Change what is known")
    staff.choose("AttributeKind.sex", "Sex.male").write("at least", "45").write("at most", "55")
    staff.write("AttributeKind.height", "1.83")
    staff.group("Name {number}", number=1).write("Name", "阿强")
    staff.press("Save").refused(HeightInMetres)
    staff.write("AttributeKind.height", "183").press("Save")
    staff.reads("阿强", staff.say("{height} cm", height=183))
    if photos:
        staff.unfold("Add photographs").put("Choose photographs", photos[:1]).press("Add")

    staff.follow("Sightings and lookouts").reads(SQUARE, ESTATE, CALL).reads_label(LookoutEnd.FOUND)
    liaison = cast(world.a.users[Role.COMMUNITY_LIAISON])
    liaison.read_inbox(said(liaison, "lookout_ended"))
    liaison.lacks(LOOK_FOR)
    liaison.enter("Sightings and lookouts")
    liaison.reads_words("Nobody is looked for near you now. You will be told as soon as somebody is.")
    return number
