"""What can be wrong with an admission (入站登记), each with its remedy."""

from tracing.platform import errors


class SafetyCheckIncomplete(errors.Invalid):
    """A safety check that was made, without when and by whom."""

    slug = "safety_check_incomplete"
    message = "Say when the safety check was made and who made it."


class FingerprintReasonMissing(errors.Invalid):
    """Fingerprints not taken, without the reason."""

    slug = "fingerprint_reason_missing"
    message = "Say why no fingerprints were taken. It takes no help from the person."


class BasisMissing(errors.Invalid):
    """Fingerprints taken without a legal basis."""

    slug = "basis_missing"
    message = "Fingerprints need a basis: consent, a guardian's consent, or a statutory ground. Choose one."


class GuardianshipMissing(errors.Invalid):
    """A minor without the state of guardianship."""

    slug = "guardianship_missing"
    message = "Say who has the guardianship of this minor; “unknown” is an answer."


class StatedIdentityMissing(errors.Conflict):
    """Care without tracing for a person who has stated no identity."""

    slug = "stated_identity_missing"
    message = (
        "Record the name that the person states, then take the person into care; or hand the case in to be traced."
    )


class AdmissionKindFixed(errors.Conflict):
    """A change of the kind of admission after the draft."""

    slug = "admission_kind_fixed"
    message = "What is known of the identity changes only in a draft. If the stated identity is false, record that."


class IdentityNotKnown(errors.Conflict):
    """A disproof of an identity that is not known."""

    slug = "identity_not_known"
    message = "This person's identity is recorded as unknown, so there is nothing to disprove."


class TooManyBelongings(errors.Invalid):
    """More things than are listed."""

    slug = "too_many_belongings"
    message = "At most {limit} things are listed. Put small things together."
