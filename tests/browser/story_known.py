"""Two people who can say who they are: a lost wallet (钱包手机丢失), and kidneys that fail (肾衰竭)."""

from models.case import AdmissionKind, CaseState
from models.home_notice import HomeAnswer, HomeNoticeKind
from models.outcome import OutcomeKind, OutcomeRoute
from models.referral import ReferralFact, ReferralKind, ReferralState
from models.user import Role
from tests.browser import story_admission as admission
from tests.browser.cast import Actor, Cast
from tests.browser.story_admission import Stated
from tests.factories.world import World
from tracing.admission_errors import StatedIdentityMissing
from tracing.notification_policy import policy
from tracing.outcome_papers import NoticeMissing
from tracing.transitions import IllegalMove

HUANG = Stated("黄志强", "广西贵港市港北区")
YANG = Stated("杨国华", "福建省厦门市思明区")
COMPLAINT = "慢性肾衰竭，全身浮肿，需急诊透析"
LETTER = "肾衰竭，需长期透析，无收入，请协助申请低保和医疗救助。"
ANSWER = "低保已受理，自下月起发放；医疗救助同步办理。"


def lost_wallet(cast: Cast, world: World) -> None:
    """A short stay without tracing, without a photograph, without a fingerprint."""
    number = _comes_for_help(cast, world)
    _is_not_traced(cast, world, number)
    cast.later(days=2)
    _leaves(cast, world, number)


def _comes_for_help(cast: Cast, world: World) -> str:
    staff = cast(world.a.users[Role.STATION_STAFF])
    number = admission.comes(staff, place="火车站", age=36, sex="Sex.male", refuses_photo=True)
    staff.reads_words("The person refuses to be photographed")
    admission.record(staff, AdmissionKind.KNOWN_IDENTITY)
    staff.reads_words("Help is the same. The search works without a face.")
    staff.press("Take into care").refused(StatedIdentityMissing)
    staff.follow("Correct the admission")
    admission.state(staff, HUANG)
    staff.press("Record the admission").reads_words("recorded, sealed").lacks(HUANG.name, HUANG.home)
    staff.press("Take into care")
    staff.state(CaseState.IN_CARE)
    return number


def _is_not_traced(cast: Cast, world: World, number: str) -> None:
    """No search, no candidates, no review, no clock of tracing; the name is sealed, and opening it is on record."""
    staff = cast(world.a.users[Role.STATION_STAFF]).enter("Cases").open(number)
    staff.cannot("Hand in").reads_words("No deadline is running.")
    staff.reads_words("Nobody is searched for: who the person is, is known.")
    staff.follow("Admission").follow("Open what is sealed").reads(HUANG.name, HUANG.home, "布包")
    for police in world.a.examiners:
        examiner = cast(police).enter("Review")
        examiner.reads_words("Nothing waits for your opinion now.")
        examiner.enter("Cases").lacks(number)
    cast(world.a.sister_staff).enter("Cases").lacks(number)


def _leaves(cast: Cast, world: World, number: str) -> None:
    """With a ticket in his hand he goes by himself. A return to a family that nobody looked for is refused."""
    staff = cast(world.a.users[Role.STATION_STAFF]).enter("Cases").open(number)
    staff.follow("Record the outcome")
    staff.choose("How it ended", OutcomeKind.REUNITED).choose("What found the name", OutcomeRoute.INTERVIEW)
    staff.press("Record").refused(IllegalMove)
    staff.choose("How it ended", OutcomeKind.LEFT).choose("What found the name", "not applicable")
    staff.write("Note", "已补办车票").press("Record")
    staff.state(CaseState.LEFT)
    _close(staff, "自行离站返家")
    staff.follow("Course of the case").lacks(HUANG.name)
    auditor = cast(world.a.users[Role.AUDITOR]).enter("Audit log")
    auditor.write("Number of a case or report", number).press("Filter")
    auditor.reads("admission", world.a.users[Role.STATION_STAFF].username).lacks(HUANG.name)


def _close(staff: Actor, reason: str) -> None:
    staff.within("Move the case").choose("New state", CaseState.CLOSED).write("Reason", reason).press("Move")
    staff.state(CaseState.CLOSED)


def kidney_failure(cast: Cast, world: World) -> None:
    """From the coach station to the hospital, and from there to those who can help for good."""
    number = _is_brought_to_hospital(cast, world)
    cast.later(days=3)
    _is_referred(cast, world, number)
    _goes_to_the_home_station(cast, world, number)


def _is_brought_to_hospital(cast: Cast, world: World) -> str:
    """The hospital comes first: he is in the ward before his papers are done."""
    here = world.a
    staff, liaison = cast(here.users[Role.STATION_STAFF]), cast(here.users[Role.HEALTH_LIAISON])
    number = admission.comes(staff, place="汽车总站", age=52, sex="Sex.male")
    admission.record(staff, AdmissionKind.KNOWN_IDENTITY, stated=YANG, medical_first=True)
    staff.reads_words("hospital first")
    admission.to_hospital(staff, liaison, here.health, number, complaint=COMPLAINT)
    admission.arrives(liaison, number, complaint=COMPLAINT, ward="肾内科")
    liaison.lacks(YANG.name, YANG.home)
    staff.read_inbox(policy().kinds["referral_answered"].words(staff.words.locale)).open(number)
    staff.follow("Admission").reads("肾内科")
    staff.press("Take into care")
    staff.state(CaseState.IN_CARE)
    staff.open(number).follow("Record the outcome").choose("How it ended", OutcomeKind.HOSPITAL).press("Record")
    staff.state(CaseState.IN_CARE).reads_label(OutcomeKind.HOSPITAL)
    return number


def _is_referred(cast: Cast, world: World, number: str) -> None:
    """Dialysis for years needs benefits: those of his home, in another province. The office reads the letter alone."""
    here, there = world.a, world.b
    staff = cast(here.users[Role.STATION_STAFF]).enter("Cases").open(number)
    staff.follow("Referrals").follow("Write a referral")
    staff.choose("What is needed", ReferralKind.LOW_INCOME).write("In which place", "思明区")
    staff.press("Show who receives it")
    staff.choose("Who receives it", staff.words.organisation(there.receiving))
    staff.write("What the receiving unit is told", LETTER)
    for fact in (ReferralFact.SEX, ReferralFact.AGE):
        staff.tick(fact)
    staff.press("Keep as a draft")
    office = cast(there.users[Role.RECEIVING_UNIT])
    office.enter("Referrals").reads_words("There is no referral yet.")
    staff.press("Send").reads_label(ReferralState.SENT).cannot("Change the draft").cannot("Accept")

    office.home().reads_words("Referrals to answer")
    office.read_inbox(policy().kinds["referral_sent"].words(office.words.locale))
    office.reads(LETTER, "52").lacks(number, YANG.name)
    office.has_no_room("Cases")
    office.press("Accept").reads_label(ReferralState.ACCEPTED)
    office.follow("Say what came of it").write("In words", ANSWER).press("Say what came of it")
    office.reads_label(ReferralState.DONE).reads(ANSWER)
    cast(here.users[Role.HEALTH_LIAISON]).enter("Referrals").reads_words("There is no referral yet.")

    staff.read_inbox(policy().kinds["referral_answered"].words(staff.words.locale))
    staff.reads(ANSWER).reads_label(ReferralState.DONE)


def _goes_to_the_home_station(cast: Cast, world: World, number: str) -> None:
    """Stable, he goes to the station of his home, with a written notice; that station answers that it takes him."""
    staff = cast(world.a.users[Role.STATION_STAFF]).enter("Cases").open(number)
    staff.follow("Record the outcome").choose("How it ended", OutcomeKind.TRANSFERRED)
    staff.press("Record")
    staff.refused(NoticeMissing)
    staff.write("To the station of this service nearest to", "思明区")
    staff.write("Number of the notice", "钦救字〔2026〕18号").press("Record")
    staff.state(CaseState.TRANSFERRED)

    home = cast(world.b.users[Role.STATION_STAFF])
    home.enter("Follow-up").follow("Home notices")
    waiting = home.item(number)
    waiting.reads_label(HomeNoticeKind.TRANSFER).reads("钦救字〔2026〕18号")
    waiting.scope.locator("select").select_option(label=home.words.label(HomeAnswer.TAKES_OVER))
    waiting.press("Answer")
    home.reads_words("No notice waits for an answer.")
    home.enter("Cases").lacks(number)

    staff.enter("Cases").open(number)
    _close(staff, "家乡救助站已接收")
    staff.enter("Follow-up").follow("Return-home ledger").item(number).reads_label(HomeAnswer.TAKES_OVER)
