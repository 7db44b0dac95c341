"""Files that are not taken in as photographs (照片), each with its remedy."""

from collections.abc import Mapping
from types import MappingProxyType

from matcher.faces.intake import RefusalReason
from tracing.platform import errors


class PhotoRefused(errors.Invalid):
    """A file that is not taken in."""

    slug = "photo_refused"


class PhotoEmpty(PhotoRefused):
    """No bytes."""

    slug = "photo_empty"
    message = "The file is empty. Choose the photograph again."


class PhotoTooLarge(PhotoRefused):
    """Too many bytes."""

    slug = "photo_too_large"
    message = "The file is larger than {max_megabytes} MB. Send a smaller version of the photograph."


class PhotoUnknownFormat(PhotoRefused):
    """Not a photograph in a known format."""

    slug = "photo_unknown_format"
    message = "This file is not a photograph that can be read. JPEG, PNG, WebP, HEIC, BMP and TIFF are accepted."


class PhotoTruncated(PhotoRefused):
    """Ends early or is damaged."""

    slug = "photo_truncated"
    message = "The photograph is damaged or was cut off on the way. Send it again, or take a new one."


class PhotoTooManyPixels(PhotoRefused):
    """More pixels than are decoded."""

    slug = "photo_too_many_pixels"
    message = "The photograph has more pixels than can be read ({max_megapixels} megapixels). Send a smaller version."


class PhotoTooSmall(PhotoRefused):
    """Too small to show a face."""

    slug = "photo_too_small"
    message = "The photograph is too small: its shorter side must have at least {min_side} pixels."


class PhotoAnimated(PhotoRefused):
    """Several pictures in one file."""

    slug = "photo_animated"
    message = "This file holds several pictures. Send a single photograph."


class PhotoUnusualEncoding(PhotoRefused):
    """A known format in a kind that is not read."""

    slug = "photo_unusual_encoding"
    message = "This file is of a rare kind that is not read. Save it as JPEG or PNG, and send that."


REFUSALS: Mapping[RefusalReason, type[PhotoRefused]] = MappingProxyType(
    {
        RefusalReason.EMPTY: PhotoEmpty,
        RefusalReason.TOO_MANY_BYTES: PhotoTooLarge,
        RefusalReason.UNKNOWN_FORMAT: PhotoUnknownFormat,
        RefusalReason.TRUNCATED: PhotoTruncated,
        RefusalReason.TOO_MANY_PIXELS: PhotoTooManyPixels,
        RefusalReason.TOO_MANY_SCANS: PhotoTruncated,
        RefusalReason.TOO_SMALL: PhotoTooSmall,
        RefusalReason.ANIMATED: PhotoAnimated,
        RefusalReason.UNUSUAL_ENCODING: PhotoUnusualEncoding,
    }
)
"""What each refusal of the matcher's intake is called here."""
