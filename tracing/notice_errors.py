"""What may be wrong with a notice (公告错误)."""

from tracing.platform import errors


class CaseNotPublic(errors.Conflict):
    """A notice of somebody who is not, or no longer, searched for in a station's care."""

    slug = "case_not_public"
    message = "In the state “{state}” nobody is sought by a public notice. Look at the case's history."


class NoticeUnwanted(errors.Conflict):
    """The person does not want to be shown."""

    slug = "notice_unwanted"
    message = "The person does not want to be sought in public. Nothing is published; talk again later."


class NoticeUnsafe(errors.Conflict):
    """Whoever looks for the person may be a danger: violence, trafficking."""

    slug = "notice_unsafe"
    message = "Danger is suspected: a public notice would tell where the person is. Report it to the police instead."


class NoticeWaiting(errors.Conflict):
    """A draft while another one waits for its approval."""

    slug = "notice_waiting"
    message = "A version of this notice waits for approval already. Have it decided, or withdraw it, before the next."


class NoticeEnded(errors.Conflict):
    """A decision on a version that is decided or withdrawn."""

    slug = "notice_ended"
    message = "This version has been decided or withdrawn already. Reload the page."


class OwnDraft(errors.Conflict):
    """The drafter as approver."""

    slug = "own_draft"
    message = "Whoever drafted a notice does not approve it. Another supervisor has to look at it."


class NoticeEmpty(errors.Conflict):
    """Neither a photograph nor a fact that a relative could recognise."""

    slug = "notice_empty"
    message = "There is nothing to recognise the person by. Add a photograph, or what is seen of the person, first."


class NoticePhotoUnknown(errors.Invalid):
    """A photograph of somebody else, or one that was taken out."""

    slug = "notice_photo_unknown"
    message = "This photograph is not among those of the case. Choose one of them."


class NoticePhotoUnclear(errors.Conflict):
    """A photograph of several people without a chosen face."""

    slug = "notice_photo_unclear"
    message = "The photograph shows several people. Choose the person's face first: nobody else may be published."
