"""Admission in the stories (入站): what is recorded when somebody comes in, and the green channel to the hospital."""

from dataclasses import dataclass

from models.admission import BiometricBasis, Fingerprints, SafetyCheck
from models.case import AdmissionKind
from models.organisation import Organisation
from tests.browser.cast import Actor
from tracing.notification_policy import policy


@dataclass(frozen=True)
class Stated:
    """Who somebody says to be."""

    name: str
    home: str


def comes(staff: Actor, *, place: str, age: int, sex: str, refuses_photo: bool = False) -> str:
    """Somebody comes in, or is brought: a draft case. Its number."""
    staff.follow("Admit a person")
    if refuses_photo:
        staff.tick("The person refuses to be photographed")
    staff.write("Found in (province, city or county)", "钦南区").write("Place, road, landmark", place)
    staff.choose("AttributeKind.sex", sex)
    staff.write("at least", str(age)).write("at most", str(age))
    staff.press("Save as a draft")
    return staff.number()


def record(staff: Actor, kind: AdmissionKind, *, stated: Stated | None = None, medical_first: bool = False) -> None:
    """The record of the admission, from the case's page."""
    known = kind is AdmissionKind.KNOWN_IDENTITY
    staff.follow("Admission").follow("Record the admission")
    staff.answer("Is it known who the person is?", kind)
    if medical_first:
        staff.tick("Hospital first")
    if stated is not None:
        state(staff, stated)
    staff.answer("Was the safety check made?", SafetyCheck.DONE)
    check = staff.within("Safety check and belongings")
    check.write("When", staff.moment(minutes=-20)).write("By whom", "陈桂芳").write("Findings", "无危险物品")
    thing = check.group("Thing {number}", number=1)
    thing.write("Thing", "布包").write("How many", "1").write("Where it is kept", "站内保管柜")
    staff.answer("Were fingerprints taken?", Fingerprints.NOT_TAKEN if known else Fingerprints.TAKEN)
    if known:
        staff.write("Why not, if not", "身份明确，无需采集")
    ground = BiometricBasis.NONE if known else BiometricBasis.STATUTORY_DUTY
    staff.answer("On what ground are face and fingerprints used?", ground)
    staff.within("Handed over by").write("Handover officer", "王警官").write("Unit", "城南派出所")
    staff.press("Record the admission")
    staff.reads_label(kind, SafetyCheck.DONE).lacks("布包", "无危险物品")


def state(staff: Actor, stated: Stated) -> None:
    """Who the person says to be, in the form of the admission."""
    told = staff.within("Stated identity")
    told.write("Name", stated.name).write("Home, as stated", stated.home)


def to_hospital(staff: Actor, liaison: Actor, hospital: Organisation, number: str, *, complaint: str) -> None:
    """The station hands the person over, from the page of the admission; the hospital is told."""
    staff.reads_words("The person was not brought to a hospital.")
    staff.unfold("Bring the person to a hospital")
    staff.choose("Designated hospital", staff.words.organisation(hospital))
    staff.write("Who brings the person", "陈桂芳").write("What the hospital must know", complaint)
    staff.press("Record the handover")
    staff.reads(complaint).reads_words("not confirmed by the hospital yet")
    liaison.read_inbox(policy().kinds["referral_sent"].words(liaison.words.locale))


def arrives(liaison: Actor, number: str, *, complaint: str, ward: str) -> None:
    """The hospital sees a number and a complaint, nothing else of the record, and says that the person has come."""
    brought = liaison.within(number)
    brought.reads(complaint)
    brought.write("Ward", ward).press("Has arrived")
    liaison.within(number).reads(ward).cannot("Has arrived")
    liaison.has_no_room("Cases")
    liaison.has_no_room("Sightings and lookouts")
