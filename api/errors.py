"""Errors that exist only because requests travel over HTTP; the use cases know nothing of them."""

from tracing.platform import errors


class MethodNotAllowed(errors.TracingError):
    """The address exists and does not take this method."""

    slug = "method_not_allowed"
    message = "This address does not take this method. See the API's description for those that it takes."


class BodyTooLarge(errors.TracingError):
    """A body of more bytes than are read."""

    slug = "body_too_large"
    message = "This is more than can be taken in at once (at most {max_megabytes} MB). Send less."


class Malformed(errors.TracingError):
    """A request that cannot be read at all."""

    slug = "malformed_request"
    message = "The request cannot be read. Check its form and send it again."


class VersionMissing(errors.TracingError):
    """An edit without If-Match: it could overwrite what someone else has just saved."""

    slug = "version_missing"
    message = "Say which version you have changed: send the record's ETag back in the header If-Match."


class GateClosed(errors.Conflict):
    """The database itself refused what no code may do."""

    slug = "gate_closed"
    message = "This step rests on others that are not done: confirmation by the police, then release of contact."


class RequestInvalid(errors.Invalid):
    """Values that do not have the form that the API's description states; `errors` of the problem names each."""

    slug = "invalid_request"
    message = "Some values do not have the form that is asked for. Each is named below."


class KeyMalformed(errors.Invalid):
    """An Idempotency-Key that cannot be one."""

    slug = "idempotency_key_malformed"
    message = "An idempotency key has 1 to 128 letters, digits or signs without spaces."
