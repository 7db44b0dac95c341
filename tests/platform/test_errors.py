"""Errors carry a slug and a sentence, and show nothing that somebody typed."""

from tracing.platform.errors import Conflict, Invalid, TooManyAttempts, TracingError


def test_text_of_an_error_never_holds_its_parameters() -> None:
    error = Invalid(field="name", value="王小明")
    assert str(error) == "invalid"
    assert "王小明" not in repr(error)
    assert error.args == ()
    assert (error.field, error.params) == ("name", {"value": "王小明"})


def test_message_is_a_template_over_the_parameters() -> None:
    error = TooManyAttempts(retry_after=30, field="password")
    assert error.message.format(**error.params) == "Too many attempts. Wait 30 seconds, then try again."
    assert (error.retry_after, error.field) == (30, "password")


def test_a_subclass_keeps_its_kind() -> None:
    class Taken(Conflict):
        slug = "taken"

    assert isinstance(Taken(), TracingError)
    assert str(Taken()) == "taken"
