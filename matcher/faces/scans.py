"""Bitmaps (BMP) and TIFFs, as scanners and old office computers write them: which of their many kinds are read.

Both are containers for nearly anything. Read are the kinds that scanners write; the rest (run-length bitmaps, JPEG
within TIFF, tiles, floating point, colour spaces of print shops, raw files of cameras, whose first picture is a
thumbnail) is refused with a reason, rather than given to seldom used code or taken for what it is not.
"""

from PIL import Image, TiffImagePlugin

_RAW_BITMAP, _BIT_FIELDS = 0, 3

_TIFF_COMPRESSIONS = frozenset({"raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate"})
_TIFF_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B"})

# Tags of TIFF 6.0 and DNG 1.7.
_SUBFILE_TYPE = 254
_PHOTOMETRIC = 262
_TILE_WIDTH = 322
_DNG_VERSION = 50706
_WHITE_IS_ZERO = 0


def is_bitmap(data: bytes) -> bool:
    """Whether the bytes begin as a BMP of Windows 3 or later: the magic, and a known size of the second header."""
    return data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in {40, 52, 56, 64, 108, 124}


def is_tiff(data: bytes) -> bool:
    """Whether the bytes begin as a TIFF of either byte order; BigTIFF is not one."""
    return data[:4] in {b"II*\x00", b"MM\x00*"}


def is_usual(image: Image.Image) -> bool:
    """Whether an opened picture, not yet decoded, is of a kind that is read; True for all but BMP and TIFF."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return _usual_tiff(image)
    if image.format == "BMP":
        return image.info.get("compression") in {_RAW_BITMAP, _BIT_FIELDS}
    return True


def _usual_tiff(image: TiffImagePlugin.TiffImageFile) -> bool:
    tags = image.tag_v2
    # A tile may declare itself far larger than the picture, and is reserved before anything of it is read.
    if _TILE_WIDTH in tags or _DNG_VERSION in tags or tags.get(_SUBFILE_TYPE, 0) & 1:
        return False
    # Pillow reads 16-bit grey as if 0 were black, whatever the file says.
    if image.mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        return False
    return image.mode in _TIFF_MODES and image.info.get("compression") in _TIFF_COMPRESSIONS
