"""Qinzhou, the way home (回家): the first call, the family comes, he goes home, and somebody asks how it goes on."""

from api.web.pages.followup import domains
from models.case import CaseState
from models.contact import ContactChannel, ContactResult
from models.followup import FollowUpEndReason, PresentParty, StabilityGrade, VisitMethod, VisitResult
from models.kin import KinDocument, KinResult
from models.outcome import OutcomeKind, OutcomeRoute
from models.user import Role
from tests.browser.cast import Actor, Cast
from tests.browser.story_network import said
from tests.factories.records import FAMILY
from tests.factories.world import World
from tracing.contact import LocalFirst
from tracing.followup import AssessmentIncomplete, NotStable
from tracing.kin import KinNotVerified
from tracing.services import Services

QUESTIONS = (("您家里有没有人走失？", "弟弟，上个月出门没回来"), ("家里人平时怎么称呼他？", "阿强"))


def family_is_reached(cast: Cast, world: World, number: str) -> None:
    """The first call goes through the police of the family's place, with a number to call back."""
    caseworker = cast(world.a.users[Role.CASEWORKER])
    caseworker.read_inbox(said(caseworker, "contact_released"))
    caseworker.home().within("Contact released: reach the family").open(number)
    for value in (FAMILY.name, FAMILY.telephone, FAMILY.address):
        caseworker.reads(value or "")
    plan = caseworker.within("How to make the first call")
    plan.choose("The first call goes through", ContactChannel.LOCAL_POLICE)
    plan.write("Which unit", "思明区演武派出所").write("Our published number", "0777-2812345").press("Record the plan")
    caseworker.reads("思明区演武派出所", "0777-2812345")
    _attempt(caseworker, ContactChannel.TELEPHONE).refused(LocalFirst)
    _attempt(caseworker, ContactChannel.LOCAL_POLICE).state(CaseState.FAMILY_CONTACTED)
    caseworker.within("Attempts").reads("姐姐明天来站")
    cast(world.b.users[Role.CASEWORKER]).enter("Cases").lacks(number)
    for user in world.a.examiners:
        cast(user).enter("Cases").open(number).cannot("Family contact").lacks(FAMILY.name or "")


def _attempt(caseworker: Actor, channel: ContactChannel) -> Actor:
    made = caseworker.within("Record an attempt")
    made.choose("Through whom", channel).choose("Result", ContactResult.REACHED).write("Note", "姐姐明天来站")
    return made.press("Record")


def family_comes(cast: Cast, world: World, number: str) -> None:
    """Nobody is handed over before the kin are verified. A relative signs, he goes home, the case closes and seals."""
    caseworker = cast(world.a.users[Role.CASEWORKER]).home()
    caseworker.within("Family reached: record how it ended").open(number)
    caseworker.follow("Record the outcome")
    _goes_home(caseworker).refused(KinNotVerified)
    caseworker.enter("Cases").open(number).follow("Are they the family?")
    _verify(caseworker)
    caseworker.reads_label(KinResult.VERIFIED)
    caseworker.open(number).follow("Record the outcome")
    _goes_home(caseworker).state(CaseState.REUNIFIED)

    caseworker.home().within("Home again: close the case").open(number)
    caseworker.within("Move the case").choose("New state", CaseState.CLOSED).write("Reason", "家属已接回")
    caseworker.press("Move").state(CaseState.CLOSED)
    caseworker.follow("Family contact").reads_words("The family’s details are sealed.")
    caseworker.lacks(FAMILY.name or "", FAMILY.telephone or "", "姐姐明天来站")


def _verify(caseworker: Actor) -> None:
    caseworker.write("Who comes", FAMILY.name or "").write("Relation", FAMILY.relation or "")
    for count, (question, answer) in enumerate(QUESTIONS, 1):
        row = caseworker.group("Question {count}", count=count)
        row.write("Open question", question).write("Answer", answer).tick("The answer agrees")
    papers = caseworker.group("Papers seen")
    papers.scope.locator("select").first.select_option(label=caseworker.words.label(KinDocument.HOUSEHOLD_BOOKLET))
    papers.scope.get_by_label(caseworker.say("Its number"), exact=True).first.fill("350203-0001")
    caseworker.tick("They are the family").press("Record the verification")


def _goes_home(caseworker: Actor) -> Actor:
    caseworker.choose("How it ended", OutcomeKind.REUNITED).choose("What found the name", OutcomeRoute.FACE)
    caseworker.write("Name of the receiver", FAMILY.name or "")
    signed = caseworker.group("Who signed for the person")
    signed.write("Relation", FAMILY.relation or "").write("Number of the signed paper", "交接2026-11")
    return caseworker.press("Record")


def it_is_on_record(cast: Cast, world: World, number: str) -> None:
    """The ledger has the return without a name; the log shows that one caseworker alone read the family's details."""
    here = world.a
    staff = cast(here.users[Role.STATION_STAFF]).enter("Follow-up").follow("Return-home ledger")
    staff.item(number).reads_label(OutcomeKind.REUNITED, OutcomeRoute.FACE).reads_words("signed for")
    staff.lacks(FAMILY.name or "")
    staff.open(number).follow("Course of the case").reads_label(CaseState.REUNIFIED)
    auditor = cast(here.users[Role.AUDITOR]).enter("Audit log")
    auditor.write("Number of a case or report", number).write("Action begins with", "contact.read").press("Filter")
    auditor.reads(here.users[Role.CASEWORKER].username)
    for other in (*here.examiners, here.users[Role.STATION_STAFF], here.users[Role.POLICE_SUPERVISOR]):
        auditor.listed("Events").lacks(other.username)
    auditor.press("Check the whole chain")


def follow_up_begins(cast: Cast, world: World, services: Services, number: str) -> None:
    """A week later the first visit is due. Half an assessment is none, and one good visit is not a stable life."""
    caseworker = cast(world.a.users[Role.CASEWORKER])
    caseworker.enter("Follow-up").open(number)
    visit = caseworker.within("Record a visit")
    visit.choose("How", VisitMethod.PHONE).choose("Was somebody there?", VisitResult.MET)
    visit.tick(PresentParty.PERSON).tick(PresentParty.FAMILY)
    sides = [name for _, name in domains(services.care.follow_up, caseworker.words.locale)]
    visit.choose(sides[0], StabilityGrade.GOOD).press("Record the visit").refused(AssessmentIncomplete)
    for side in sides:
        visit.choose(side, StabilityGrade.GOOD)
    visit.press("Record the visit")
    caseworker.within("Visits").reads_label(VisitMethod.PHONE, VisitResult.MET)
    caseworker.reads_words("Still wanted before it counts as stable:")
    end = caseworker.within("End the follow-up")
    end.choose("Why", FollowUpEndReason.STABLE).press("End the follow-up").refused(NotStable)
    cast(world.a.users[Role.CASEWORKER]).enter("Follow-up").reads(number)
