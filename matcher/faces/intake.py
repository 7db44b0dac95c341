"""Photographs from outside: decode what is safe, refuse the rest with a reason, and re-encode without metadata.

Everything is judged by its header before a pixel is decompressed, so a small file that unfolds into gigabytes costs
nothing. Pillow's own guards stay on behind these: metadata chunks of a PNG unfold to 64 MB at most, a truncated file is
an error and is never filled in with grey.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from types import MappingProxyType

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from matcher.faces.scans import is_bitmap, is_tiff, is_usual

pillow_heif.register_heif_opener(thumbnails=False)

Pixels = NDArray[np.uint8]

# JPEG quality and 4:4:4 chroma at which a stored photograph's embedding stays that of the original.
STORED_QUALITY = 92

_EXIF_IFD = 0x8769
_DATE_TIME_ORIGINAL = 0x9003
_START_OF_SCAN = b"\xff\xda"

# What Pillow and libheif raise on damaged bytes; all of it is the sender's file, none of it a bug of ours.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, RuntimeError)


class RefusalReason(StrEnum):
    """Why a photograph was refused; the interface words it from the refusal's parameters."""

    EMPTY = "empty"
    TOO_MANY_BYTES = "too_many_bytes"  # bytes, max_bytes
    UNKNOWN_FORMAT = "unknown_format"  # accepted: names of the formats
    TRUNCATED = "truncated"  # ends early or is damaged; format
    TOO_MANY_PIXELS = "too_many_pixels"  # width, height where known, max_pixels, max_side
    TOO_MANY_SCANS = "too_many_scans"  # scans, max_scans
    TOO_SMALL = "too_small"  # width, height, min_side
    ANIMATED = "animated"  # frames
    UNUSUAL_ENCODING = "unusual_encoding"  # a kind of a known format that is not read; format


class ImageRefused(Exception):
    """A photograph was not taken in. `reason` and `params` say why; nothing of the file's content is repeated."""

    def __init__(self, reason: RefusalReason, params: Mapping[str, object] | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.params: dict[str, object] = dict(params or {})


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What a photograph may be. Pixels are counted as the header declares them, sides in pixels.

    Attributes:
        max_bytes: largest file; phones make 2-12 MB.
        max_pixels: largest area; 64 MP cameras pass, 200 MB of RGB is the most that one photograph can take.
        max_side: longest side, so that a strip of 1 x 60,000,000 pixels is refused too.
        min_side: shortest side; a face in less is never usable.
        max_scans: scans of a progressive JPEG; libjpeg writes 10, each one more costs a pass over all pixels.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 65_000_000
    max_side: int = 16_000
    min_side: int = 48
    max_scans: int = 100


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """A decoded photograph.

    Attributes:
        pixels: upright RGB, uint8, shape (height, width, 3).
        captured_at: camera's own clock without a time zone (EXIF DateTimeOriginal), None when not recorded.
        format: "jpeg", "png", "webp", "heic", "bmp" or "tiff".
    """

    pixels: Pixels
    captured_at: datetime | None
    format: str


# Pillow's format names, MPO (a JPEG with a second picture behind it) included, to ours.
FORMATS: Mapping[str, str] = MappingProxyType(
    {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png", "WEBP": "webp", "HEIF": "heic", "BMP": "bmp", "TIFF": "tiff"}
)


def decode(data: bytes, limits: IntakeLimits) -> Photograph:
    """The photograph in `data`: JPEG, PNG, WebP, HEIC, BMP or TIFF, any colour mode, EXIF orientation applied.

    Of the pages of a TIFF the first is taken. Transparency is laid on white; 16-bit channels are cut to 8. GIF is not
    read: at 256 colours it holds no photograph. Raises ImageRefused.
    """
    if not data:
        raise ImageRefused(RefusalReason.EMPTY)
    if len(data) > limits.max_bytes:
        raise ImageRefused(RefusalReason.TOO_MANY_BYTES, {"bytes": len(data), "max_bytes": limits.max_bytes})
    sniffed = _sniff(data)
    if sniffed is None:
        raise ImageRefused(RefusalReason.UNKNOWN_FORMAT, {"accepted": sorted(set(FORMATS.values()))})
    size = _webp_size(data) if sniffed == "WEBP" else None
    if size is not None:
        _check_size(size, limits)  # Pillow's WebP decoder reserves the whole canvas as soon as it is opened
    damaged = ImageRefused(RefusalReason.TRUNCATED, {"format": FORMATS[sniffed]})
    try:
        image: Image.Image = Image.open(BytesIO(data), formats=[sniffed])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        bounds: dict[str, object] = {"max_pixels": limits.max_pixels, "max_side": limits.max_side}
        raise ImageRefused(RefusalReason.TOO_MANY_PIXELS, bounds) from error
    except (UnidentifiedImageError, *_DAMAGED) as error:
        raise damaged from error
    with image:
        _check_size(image.size, limits)
        _check_structure(image, data, sniffed, limits)
        # face_recognition switches this on for the whole process when it is imported.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            image.load()
            captured_at = _captured_at(image)
            pixels = _rgb(_upright(image))
        except (MemoryError, Image.DecompressionBombError, *_DAMAGED) as error:
            raise damaged from error
    return Photograph(pixels, captured_at, FORMATS[sniffed])


def encode(pixels: Pixels, captured_at: datetime | None) -> bytes:
    """JPEG bytes (quality 92, 4:4:4) of RGB pixels (h, w, 3) with no metadata but the capture time."""
    exif = Image.Exif()
    if captured_at is not None:
        exif[_EXIF_IFD] = {_DATE_TIME_ORIGINAL: captured_at.strftime("%Y:%m:%d %H:%M:%S")}
    target = BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=STORED_QUALITY, subsampling=0, optimize=True, exif=exif)
    return target.getvalue()


def resize_to_fit(pixels: Pixels, max_side: int) -> Pixels:
    """The pixels (h, w, 3) scaled down so that no side is longer than `max_side`; unchanged when they fit."""
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # LANCZOS reads three source pixels either side of each result pixel: no aliasing, whatever the factor.
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def _sniff(data: bytes) -> str | None:
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if is_bitmap(data):
        return "BMP"
    if is_tiff(data):
        return "TIFF"
    heif_brands = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
    return "HEIF" if data[4:8] == b"ftyp" and data[8:12] in heif_brands else None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Canvas width and height from the first chunk (WebP container specification), None when it is cut short."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def _check_size(size: tuple[int, int], limits: IntakeLimits) -> None:
    width, height = size
    found: dict[str, object] = {"width": width, "height": height}
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        bounds = {"max_pixels": limits.max_pixels, "max_side": limits.max_side}
        raise ImageRefused(RefusalReason.TOO_MANY_PIXELS, found | bounds)
    if min(width, height) < limits.min_side:
        raise ImageRefused(RefusalReason.TOO_SMALL, found | {"min_side": limits.min_side})


def _check_structure(image: Image.Image, data: bytes, sniffed: str, limits: IntakeLimits) -> None:
    if not is_usual(image):
        raise ImageRefused(RefusalReason.UNUSUAL_ENCODING, {"format": FORMATS[sniffed]})
    # The further pictures of an MPO, a HEIC or a TIFF are depth maps, bursts and pages; the first is the photograph.
    frames = getattr(image, "n_frames", 1) if sniffed in {"PNG", "WEBP"} else 1
    if frames > 1:
        raise ImageRefused(RefusalReason.ANIMATED, {"frames": frames})
    scans = data.count(_START_OF_SCAN) if sniffed == "JPEG" else 0
    if scans > limits.max_scans:
        raise ImageRefused(RefusalReason.TOO_MANY_SCANS, {"scans": scans, "max_scans": limits.max_scans})


def _captured_at(image: Image.Image) -> datetime | None:
    try:
        text = str(image.getexif().get_ifd(_EXIF_IFD).get(_DATE_TIME_ORIGINAL, "")).strip("\x00 ")
        return datetime.fromisoformat(text[:10].replace(":", "-") + text[10:19]).replace(tzinfo=None)
    except _DAMAGED:
        return None  # a wrong date in a good photograph is no reason to refuse it


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGED:
        return image  # unreadable metadata: as stored


def _rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        values = np.asarray(image).astype(np.float64)
        # 16-bit greyscale: 65535 is white, as 255 is in 8 bits.
        grey = np.clip(values / 257.0, 0, 255).round().astype(np.uint8)
        return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, (255, 255, 255, 255)), layer)
    return np.array(image.convert("RGB"))
