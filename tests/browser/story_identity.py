"""Qinzhou, the name (查明身份): a talk, the search, the police's comparison, two blind examiners, the decision."""

import re

from models.case import AdmissionKind, CaseState
from models.claim import ClaimGrade, ClaimMethod
from models.clue import ClueKind
from models.confirmation import ConfirmationMethod
from models.contact import DangerScreen, PersonWish
from models.deadline import ClockKind
from models.review import Opinion
from models.user import Role, User
from tests.browser import story_admission as admission
from tests.browser.cast import Actor, Cast
from tests.browser.story_network import NAME, said
from tests.factories.records import FAMILY
from tests.factories.world import World
from tracing.confirmation import OpinionsMissing, ReviewsMissing
from tracing.screenings import DangerSuspected

COMPLAINT = "神志不清，脱水，需急诊评估"
DISH = "沙茶面"
GROUNDS = "两名比对员独立一致，人像比对、籍贯、口音相符。"
SEEN = ("肤色偏黑", "长圆脸", "前额发际线高")
REMARKS = "眉弓、鼻翼、耳廓一致"


def hospital_first(cast: Cast, world: World, number: str) -> None:
    """He is confused and dried out: the hospital comes first, his papers are done meanwhile."""
    here = world.a
    staff, liaison = cast(here.users[Role.STATION_STAFF]), cast(here.users[Role.HEALTH_LIAISON])
    staff.enter("Cases").open(number)
    admission.record(staff, AdmissionKind.UNKNOWN_IDENTITY, medical_first=True)
    admission.to_hospital(staff, liaison, here.health, number, complaint=COMPLAINT)
    admission.arrives(liaison, number, complaint=COMPLAINT, ward="急诊观察室")
    liaison.lacks("阿强")


def he_is_searched_for(cast: Cast, world: World, number: str) -> None:
    """Handed in, reported to the police; the caseworker hears of a dish from home, and every scrap is written down."""
    staff = cast(world.a.users[Role.STATION_STAFF])
    staff.enter("Cases").open(number).press("Hand in")
    staff.home().within("What is due").open(number)
    staff.follow("Tick off {clock}", clock=staff.words.label(ClockKind.POLICE_QUERY))
    staff.write("Note", "已请联络站比对指纹和人像").press("Tick off")
    caseworker = cast(world.a.users[Role.CASEWORKER])
    caseworker.enter("Cases").open(number).follow("Interviews and clues")
    caseworker.write("Who asked", "周社工")
    clue = caseworker.group("Clue {count}", count=1)
    clue.choose("About", ClueKind.FOOD).write("Word for word", DISH)
    caseworker.write("Notes", "他说想吃家乡的面").press("Record")
    caseworker.reads(DISH)
    staff.enter("Cases").open(number).state(CaseState.IN_REVIEW)
    staff.reads(NAME, DISH).lacks(FAMILY.name or "")


def nobody_skips_a_step(cast: Cast, world: World, number: str) -> None:
    """Before the confirmation there is no contact, for nobody, and nothing to release."""
    here = world.a
    caseworker = cast(here.users[Role.CASEWORKER]).enter("Cases").open(number)
    caseworker.follow("Family contact").reads_words("The family’s details are sealed.")
    caseworker.lacks(FAMILY.name or "", FAMILY.telephone or "").cannot("Record the plan").cannot("Record")
    for user in (here.users[Role.POLICE_SUPERVISOR], *here.examiners):
        cast(user).enter("Cases").open(number).cannot("Release contact")
    staff = cast(here.users[Role.STATION_STAFF]).enter("Cases").open(number)
    staff.cannot("Confirm the identity").cannot("Release contact").cannot("Family contact")
    cast(here.users[Role.ADMINISTRATOR]).has_no_room("Cases")
    cast(world.b.users[Role.CASEWORKER]).enter("Cases").lacks(number)


def police_compare(cast: Cast, world: World, number: str) -> None:
    """The register's face comparison names him. A face is a lead, never the ground, and sealed for who has to judge."""
    supervisor = cast(world.a.users[Role.POLICE_SUPERVISOR])
    supervisor.enter("Cases").open(number).follow("Results of outside systems")
    result = supervisor.within("Record a result")
    result.choose("How it was obtained", ClaimMethod.FACE)
    named = result.line("Whom it names", NAME)
    result.choose("Whom it names", named).write("Officer", "王警官").press("Record")
    supervisor.reads_label(ClaimMethod.FACE, ClaimGrade.LEAD)
    _confirm(supervisor, number).refused(OpinionsMissing)


def _describe(examiner: Actor) -> None:
    noted = examiner.scope.get_by_role("textbox")
    for position, text in enumerate(SEEN):
        noted.nth(position).fill(text)
    examiner.press("Note the features")


def two_examiners_judge(cast: Cast, world: World, number: str) -> None:
    """Each alone: features first, then the candidate without scores; nobody learns what the other thinks before."""
    first, second = world.a.examiners
    _judge(cast, first, number, Opinion.STRONGLY_SUPPORTS, unseen="")
    _confirm(cast(first), number).refused(ReviewsMissing)
    _judge(cast, second, number, Opinion.SUPPORTS, unseen=first.display_name)
    examiner = cast(second).enter("Cases").open(number)
    examiner.reads_label(Opinion.STRONGLY_SUPPORTS, Opinion.SUPPORTS)


def _judge(cast: Cast, user: User, number: str, opinion: Opinion, *, unseen: str) -> None:
    examiner = cast(user).home()
    examiner.within("Candidates waiting for your opinion").reads(number)
    examiner.enter("Cases").open(number).lacks(NAME)
    examiner.reads_words("First describe the unknown person; the candidates open to you once the features are noted.")
    examiner.follow("Results of outside systems")
    examiner.reads_words("sealed until you have given your own opinion").lacks(NAME)
    examiner.enter("Review").begin(number)
    _describe(examiner)
    examiner.reads(NAME).lacks(REMARKS, *([unseen] if unseen else []))
    examiner.lacks(examiner.say("Evidence, term by term"), examiner.say("Opinions"))
    examiner.answer("Your opinion: do the photographs and facts show the same person?", opinion)
    examiner.write("Remarks: which features agree, which differ", REMARKS).press("Commit my opinion")
    examiner.reads_words("Evidence, term by term").within("Opinions").reads_label(opinion).reads(REMARKS)


def _confirm(police: Actor, number: str) -> Actor:
    """Confirm by the examiners' agreement, or try to."""
    police.enter("Cases").open(number).follow("Confirm the identity")
    whom = police.scope.get_by_role("group", name=police.say("Who is it?"), exact=True)
    whom.get_by_role("radio", name=re.compile(NAME)).check()
    police.answer("What does it rest on?", ConfirmationMethod.AGREEING_REVIEWS)
    return police.write("Grounds", GROUNDS).press("Confirm this identity")


def police_confirm_and_release(cast: Cast, world: World, number: str) -> None:
    """The police decide, then ask him what he wants and whether home is safe; only then contact is open."""
    here = world.a
    supervisor = cast(here.users[Role.POLICE_SUPERVISOR])
    _confirm(supervisor, number).state(CaseState.IDENTIFIED)
    supervisor.reads_words("The identity is confirmed").reads(GROUNDS)
    staff = cast(here.users[Role.STATION_STAFF])
    staff.read_inbox(said(staff, "case_identified")).state(CaseState.IDENTIFIED)
    caseworker = cast(here.users[Role.CASEWORKER]).enter("Cases").open(number)
    caseworker.follow("Family contact").reads_words("The family’s details are sealed.").lacks(FAMILY.name or "")

    supervisor.home().within("Identified: release of contact to decide").open(number)
    supervisor.follow("Release contact").answer("What does the person want?", PersonWish.WANTS_CONTACT)
    supervisor.answer("Is home safe?", DangerScreen.SUSPECTED).press("Release contact to the station")
    supervisor.refused(DangerSuspected)
    supervisor.answer("Is home safe?", DangerScreen.NO_SIGN).press("Release contact to the station")
    supervisor.state(CaseState.CONTACT_RELEASED).lacks(FAMILY.name or "")
