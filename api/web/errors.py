"""Errors that exist only because people type into forms; the use cases never see such input."""

from tracing.platform import errors


class FormExpired(errors.Conflict):
    """A form whose token is not that of the present sign-in. Nothing was done; what was typed is shown again."""

    slug = "form_expired"
    message = "This page was opened in an earlier sign-in, so nothing was saved yet. Look it over and send it again."


class ChoiceMissing(errors.Invalid):
    """A question with answers to choose from, and none chosen."""

    slug = "choice_missing"
    message = "Choose one of the answers."


class ChoiceUnknown(errors.Invalid):
    """An answer that is not on the list."""

    slug = "choice_unknown"
    message = "Choose one of the listed answers."


class NumberExpected(errors.Invalid):
    """Text where a number belongs."""

    slug = "number_expected"
    message = "Write a number here, for example 5, or leave it empty."


class MomentExpected(errors.Invalid):
    """A day and time that cannot be read."""

    slug = "moment_expected"
    message = "Write day and time, for example 2026-03-02 09:30."


class DayMissing(errors.Invalid):
    """A day that is needed."""

    slug = "day_missing"
    message = "Write the day, for example 2026-03-02."


class PlaceUnknown(errors.Invalid):
    """A place name that no division bears."""

    slug = "place_unknown"
    message = "No division is called this. Write a shorter part of its name, or its code; add the rest as detail."


class PlaceAmbiguous(errors.Invalid):
    """A place name that several divisions bear."""

    slug = "place_ambiguous"
    message = "Several places are called this. Choose one, or write its code: {choices}."


class PointExpected(errors.Invalid):
    """Text where a point on the map belongs."""

    slug = "point_expected"
    message = "Write latitude and longitude in degrees, for example 21.98130, 108.65420, or leave it empty."


class CaseNumberMistyped(errors.Invalid):
    """A text that cannot be a number of a case: its form or its check digit is wrong."""

    slug = "case_number_mistyped"
    message = "This cannot be a case number: a digit is wrong or missing. Copy it whole from the case's page."


class CaseNumberUnknown(errors.Invalid):
    """A case number that no case of the viewer's bears."""

    slug = "case_number_unknown"
    message = "No case has this number. Copy it whole from the case's page."


class NumberUnknown(errors.Invalid):
    """A number that no record of the viewer's bears."""

    slug = "number_unknown"
    message = "No record that you may see bears this number. Write the whole number, as it stands on its page."
