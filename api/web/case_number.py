"""Cases that a page names by their number: those that exist for the viewer, and no others."""

import uuid
from collections.abc import Iterable
from contextlib import suppress

from api.web.errors import CaseNumberMistyped, CaseNumberUnknown
from api.web.page import Page
from tracing.cases import list_cases, load_case
from tracing.numbers import is_valid
from tracing.platform import errors


def case_numbers(page: Page, ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """The numbers of these cases, by id; without those that do not exist for the viewer."""
    found: dict[uuid.UUID, str] = {}
    for case_id in {one for one in ids if one is not None}:
        with suppress(errors.NotFound):
            found[case_id] = load_case(page.session, page.viewer, case_id).number
    return found


def typed_case(page: Page, field: str) -> uuid.UUID | None:
    """The case whose number was typed, None for none. Raises CaseNumberMistyped, CaseNumberUnknown."""
    number = page.typed.text(field)
    if not number:
        return None
    if not is_valid(number):
        raise CaseNumberMistyped(field=field)
    for one in list_cases(page.session, page.viewer, number=number, now=page.now).items:
        if one.number == number:
            return one.id
    raise CaseNumberUnknown(field=field)
