"""What can be wrong with a fact: one error a mistake, each with its remedy."""

from tracing.platform import errors


class HeightInMetres(errors.Invalid):
    """A height that was evidently given in metres."""

    slug = "height_in_metres"
    message = "Height is given in centimetres: write {suggestion} instead of {given}."


class HeightOutOfRange(errors.Invalid):
    """A height that no person has."""

    slug = "height_out_of_range"
    message = "A height is a number of centimetres from 30 to 250."


class AgeOutOfRange(errors.Invalid):
    """An age that no person has."""

    slug = "age_out_of_range"
    message = "An age is a number of years from 0 to 120."


class PointIncomplete(errors.Invalid):
    """A latitude without longitude, or out of range."""

    slug = "point_incomplete"
    message = "A point has a latitude (-90 to 90) and a longitude (-180 to 180). Give both, or neither."


class ImpossibleDate(errors.Invalid):
    """Not a day of the calendar."""

    slug = "impossible_date"
    message = "There is no such day. Write year-month-day, for example 1962-03-15, or leave it empty if unknown."


class DateInFuture(errors.Invalid):
    """A day that has not come yet."""

    slug = "date_in_future"
    message = "This day has not come yet. Check the year, month and day."


class DateTooEarly(errors.Invalid):
    """A day too long ago for a living person."""

    slug = "date_too_early"
    message = "This day is more than 120 years ago. Check the year."


class UnknownDivision(errors.Invalid):
    """A division code that GB/T 2260 does not have."""

    slug = "unknown_division"
    message = "No division has this code. Choose one from the list, or leave it empty if unknown."


class UnknownEthnicity(errors.Invalid):
    """An ethnic group's code that GB/T 3304 does not have."""

    slug = "unknown_ethnicity"
    message = "No ethnic group has this code. Choose one from the list, or leave it empty if unknown."


class UnknownValue(errors.Invalid):
    """A value outside its list."""

    slug = "unknown_value"
    message = "Choose one of the listed values, or leave it empty if unknown."


class EmptyValue(errors.Invalid):
    """A fact without a value."""

    slug = "empty_value"
    message = "Write a value, or leave the whole entry out if it is unknown."


class TextTooLong(errors.Invalid):
    """More text than the field holds."""

    slug = "text_too_long"
    message = "At most {limit} characters fit here."


class TooFewDigits(errors.Invalid):
    """A telephone fragment that is too short, too long or no digits."""

    slug = "too_few_digits"
    message = "Write 3 to 20 digits of the number, in order; leave out the rest."


class NegativeUncertainty(errors.Invalid):
    """An uncertainty below zero."""

    slug = "negative_uncertainty"
    message = "An uncertainty is zero or more, in the unit of the value."


class DuplicateFact(errors.Invalid):
    """Two values for a fact that has one."""

    slug = "duplicate_fact"
    message = "This is given twice. Keep the value that is better known."


class MarksContradict(errors.Invalid):
    """Marks are listed and "no marks" is ticked."""

    slug = "marks_contradict"
    message = "Marks are listed although “no marks” is chosen. Remove one of the two."
