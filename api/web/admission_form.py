"""An admission as form fields and back (入站登记表单). Field names are those that the checks of admissions name."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.web.errors import NumberExpected
from api.web.forms import Typed, choice, moment, optional_choice, optional_number
from api.web.page import Page
from models.admission import AdmissionRecord, BiometricBasis, Fingerprints, Guardianship, SafetyCheck
from models.case import AdmissionKind, Case
from tracing.admission import Admission, Belonging, Guardian, SealedAdmission, StatedIdentity
from tracing.facts import InvalidFacts, collecting
from tracing.patrols import CountOutOfRange
from tracing.platform import errors

_ITEM = re.compile(r"^belongings\.(\d{1,3})\.item$", re.ASCII)
QUANTITY_MAX = 10_000


def choices() -> dict[str, Any]:
    """The lists from which the form offers answers."""
    return {
        "kinds": list(AdmissionKind), "checks": list(SafetyCheck), "prints": list(Fingerprints),
        "bases": list(BiometricBasis), "guardianships": list(Guardianship),
    }  # fmt: skip


def values_of(page: Page, case: Case, record: AdmissionRecord | None, opened: SealedAdmission | None) -> dict[str, str]:
    """What stands, as the values of the form."""
    values = {"kind": case.admission_kind.value, "photo_refused": "yes" if case.photo_refused else ""}
    if record is None or opened is None:
        return values
    checked_at = record.safety_checked_at
    values |= {
        "medical_first": "yes" if record.medical_first else "",
        "minor": "yes" if record.minor else "",
        "safety_check": record.safety_check.value,
        "safety_checked_at": checked_at.astimezone(page.services.settings.zone).strftime("%Y-%m-%dT%H:%M")
        if checked_at
        else "",
        "fingerprints": record.fingerprints.value,
        "basis": record.basis.value,
        "guardianship": record.guardianship.value if record.guardianship else "",
        "findings": opened.findings or "",
    }
    for name in ("safety_checker", "fingerprint_reason", "handover_officer", "handover_unit", "basis_article"):
        values[name] = getattr(record, name) or ""
    if opened.identity is not None:
        for name in ("name", "identity_number", "home"):
            values[f"identity.{name}"] = getattr(opened.identity, name) or ""
    if opened.guardian is not None:
        values |= {"guardian.name": opened.guardian.name, "guardian.telephone": opened.guardian.telephone or ""}
    for position, one in enumerate(opened.belongings):
        field = f"belongings.{position}"
        values |= {f"{field}.item": one.item, f"{field}.quantity": str(one.quantity), f"{field}.kept": one.kept or ""}
    return values


def belonging_rows(values: Mapping[str, str]) -> list[dict[str, str]]:
    """The filled rows of belongings, numbered anew without gaps."""
    positions = sorted(int(found.group(1)) for name in values if (found := _ITEM.match(name)) and values[name].strip())
    return [
        {part: values.get(f"belongings.{position}.{part}", "") for part in ("item", "quantity", "kept")}
        for position in positions
    ]


def read_admission(page: Page) -> Admission:
    """What was typed. Raises InvalidFacts naming every field that cannot be read."""
    typed, problems = page.typed, list[errors.Invalid]()
    given = Admission(AdmissionKind.UNKNOWN_IDENTITY)
    with collecting(problems):
        given = replace(given, kind=choice(typed, "kind", AdmissionKind))
    with collecting(problems):
        given = replace(given, safety_check=choice(typed, "safety_check", SafetyCheck))
    with collecting(problems):
        if typed.text("safety_checked_at"):
            checked_at = moment(typed, "safety_checked_at", page.services.settings.zone)
            given = replace(given, safety_checked_at=checked_at)
    with collecting(problems):
        given = replace(given, fingerprints=choice(typed, "fingerprints", Fingerprints))
    with collecting(problems):
        given = replace(given, basis=choice(typed, "basis", BiometricBasis))
    with collecting(problems):
        given = replace(given, guardianship=optional_choice(typed, "guardianship", Guardianship))
    belongings = _belongings(typed, problems)
    if problems:
        raise InvalidFacts(tuple(problems))
    texts: dict[str, Any] = {
        name: typed.optional(name)
        for name in (
            "safety_checker", "findings", "fingerprint_reason", "handover_officer", "handover_unit", "basis_article",
        )
    }  # fmt: skip
    return replace(
        given, **texts, medical_first=typed.ticked("medical_first"), minor=typed.ticked("minor"),
        belongings=belongings, guardian=_guardian(typed), identity=_identity(typed),
    )  # fmt: skip


def _belongings(typed: Typed, problems: list[errors.Invalid]) -> tuple[Belonging, ...]:
    found: list[Belonging] = []
    for position, row in enumerate(belonging_rows(typed.values)):
        with collecting(problems):
            quantity = _quantity(Typed(row), f"belongings.{position}.quantity")
            found.append(Belonging(row["item"].strip(), quantity, row["kept"].strip() or None))
    return tuple(found)


def _quantity(row: Typed, field: str) -> int:
    """How many, 1 when nothing was typed. Raises NumberExpected, CountOutOfRange."""
    try:
        number = optional_number(row, "quantity")
    except NumberExpected:
        raise NumberExpected(field=field) from None
    quantity = 1 if number is None else round(number)
    if not 1 <= quantity <= QUANTITY_MAX or (number is not None and number != quantity):
        raise CountOutOfRange(field=field, least=1, most=QUANTITY_MAX)
    return quantity


def _identity(typed: Typed) -> StatedIdentity | None:
    if not any(typed.text(f"identity.{name}") for name in ("name", "identity_number", "home")):
        return None
    return StatedIdentity(
        typed.text("identity.name"), typed.optional("identity.identity_number"), typed.optional("identity.home")
    )


def _guardian(typed: Typed) -> Guardian | None:
    if not (typed.text("guardian.name") or typed.text("guardian.telephone")):
        return None
    return Guardian(typed.text("guardian.name"), typed.optional("guardian.telephone"))
