"""`matcher.faces.scans` through the intake: bitmaps and TIFFs, made by Pillow and byte by byte."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile, TiffImagePlugin

from matcher.faces.intake import ImageRefused, IntakeLimits, Pixels, RefusalReason, decode

LIMITS = IntakeLimits()


def picture() -> Pixels:
    """Top quarter white, below it red to the left and blue to the right, 64 x 96."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :48], pixels[:, 48:] = (220, 30, 30), (30, 30, 220)
    pixels[:16] = 255
    return pixels


def saved(image: Image.Image, format_name: str, **options: Any) -> bytes:
    target = BytesIO()
    image.save(target, format_name, **options)
    return target.getvalue()


def refusal(data: bytes, limits: IntakeLimits = LIMITS) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        decode(data, limits)
    return caught.value


def tags(*entries: tuple[int, int | str]) -> TiffImagePlugin.ImageFileDirectory_v2:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in entries:
        directory[tag] = value
    return directory


def bitmap(width: int, height: int, bits: int, compression: int, body: bytes, palette: bytes = b"") -> bytes:
    offset = 54 + len(palette)
    return (
        struct.pack("<2sIHHI", b"BM", offset + len(body), 0, 0, offset)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, len(palette) // 4, 0)
        + palette
        + body
    )


def with_tile(tiff: bytes, width: int) -> bytes:
    """The last tag, of the planes, made one of tiles: Pillow writes none."""
    planes = struct.pack("<HHII", 284, 3, 1, 1)
    assert planes in tiff
    return tiff.replace(planes, struct.pack("<HHII", 322, 4, 1, width))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bitmap_colour_modes(mode: str) -> None:
    photograph = decode(saved(Image.fromarray(picture()).convert(mode), "BMP"), LIMITS)
    assert photograph.format == "bmp"
    assert photograph.pixels.shape == (64, 96, 3)
    assert photograph.pixels[:10].mean() > 240
    if mode in {"RGB", "RGBA"}:
        assert np.array_equal(photograph.pixels, picture())


def test_a_bitmap_stored_from_the_top() -> None:
    body = picture()[:, :, ::-1].tobytes()
    assert np.array_equal(decode(bitmap(96, -64, 24, 0, body), LIMITS).pixels, picture())


@pytest.mark.parametrize(("bits", "compression"), [(8, 1), (4, 2), (24, 4), (24, 5)])
def test_packed_bitmaps_are_refused(bits: int, compression: int) -> None:
    data = bitmap(100, 100, bits, compression, b"\x00\x01" * 50, bytes(range(256)) * 4)
    # Pillow itself does not open a JPEG or PNG within a bitmap.
    assert refusal(data).reason in {RefusalReason.UNUSUAL_ENCODING, RefusalReason.TRUNCATED}
    if compression < 3:
        assert refusal(data).params == {"format": "bmp"}
        assert refusal(data).reason is RefusalReason.UNUSUAL_ENCODING


@pytest.mark.parametrize("data", [b"BM", b"BM" + b"\0" * 60, b"BM" + b"\xff" * 60, b"BMW is not a bitmap at all"])
def test_not_every_bm_is_a_bitmap(data: bytes) -> None:
    assert refusal(data).reason is RefusalReason.UNKNOWN_FORMAT


@pytest.mark.parametrize("compression", [None, "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate"])
def test_tiff_compressions(compression: str | None) -> None:
    photograph = decode(saved(Image.fromarray(picture()), "TIFF", compression=compression), LIMITS)
    assert photograph.format == "tiff"
    assert np.array_equal(photograph.pixels, picture())


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B"])
def test_tiff_colour_modes(mode: str) -> None:
    image = Image.fromarray(picture())
    grey = np.asarray(image.convert("L"))
    if mode.startswith("I;16"):
        image = Image.fromarray((grey.astype(np.uint16) * 257).astype(">u2" if mode.endswith("B") else "<u2"))
        assert image.mode == mode
    else:
        image = image.convert(mode)
    pixels = decode(saved(image, "TIFF"), LIMITS).pixels
    assert pixels.shape == (64, 96, 3)
    assert pixels[:10].mean() > 240
    if mode.startswith("I;16"):
        assert np.array_equal(pixels[:, :, 0], grey)
    if mode in {"RGBA", "CMYK", "YCbCr"}:
        assert pixels[50, 10, 0] > 150 > pixels[50, 10, 2]


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientations(orientation: int, compression: str | None) -> None:
    upright = picture()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    image = Image.fromarray(np.ascontiguousarray(stored))
    data = saved(image, "TIFF", tiffinfo=tags((274, orientation)), compression=compression)
    assert np.array_equal(decode(data, LIMITS).pixels, upright)


def test_the_first_page_of_several_is_taken() -> None:
    pages = [Image.fromarray(picture()), Image.new("RGB", (500, 500)), Image.new("RGB", (10, 10))]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert np.array_equal(decode(data, LIMITS).pixels, picture())


def test_unusual_tiffs_are_refused() -> None:
    image = Image.fromarray(picture())
    unusual = {
        "JPEG within": saved(image, "TIFF", compression="jpeg"),
        "fax": saved(image.convert("1"), "TIFF", compression="group4"),
        "floating point": saved(image.convert("F"), "TIFF"),
        "32 bits": saved(image.convert("I"), "TIFF"),
        "Lab": saved(Image.new("LAB", (64, 64)), "TIFF"),
        "thumbnail first": saved(image, "TIFF", tiffinfo=tags((254, 1))),
        "raw file of a camera": saved(image, "TIFF", tiffinfo=tags((50706, "1.4.0.0"))),
        "tiles": with_tile(saved(image, "TIFF"), 2**31 - 16),
        "white is zero": saved(Image.fromarray(picture()[:, :, 0].astype("<u2")), "TIFF", tiffinfo=tags((262, 0))),
    }
    found = {name: refusal(data).reason for name, data in unusual.items()}
    assert found == dict.fromkeys(unusual, RefusalReason.UNUSUAL_ENCODING)


def test_headers_alone_refuse_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", never)
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", never)
    for side in (16_001, 2**31 - 1):
        found = refusal(bitmap(side, side, 24, 0, b""))
        assert found.reason is RefusalReason.TOO_MANY_PIXELS
        assert found.params["max_pixels"] == LIMITS.max_pixels
    tiff = saved(Image.fromarray(picture()), "TIFF", compression="tiff_deflate")
    width = tiff.index(struct.pack("<HHII", 256, 3, 1, 96)) + 2
    grown = tiff[:width] + struct.pack("<HII", 4, 1, 1_000_000) + tiff[width + 10 :]
    assert refusal(grown).reason is RefusalReason.TOO_MANY_PIXELS
    assert refusal(tiff, IntakeLimits(max_pixels=5_000)).params["width"] == 96


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("compression", ["raw", "packbits", "tiff_lzw", "tiff_deflate"])
def test_truncated_tiffs(compression: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    data = saved(Image.fromarray(noise), "TIFF", compression=compression)
    for share in (0.01, 0.2, 0.6, 0.95):
        assert refusal(data[: int(len(data) * share)]).reason is RefusalReason.TRUNCATED


def test_a_directory_that_leads_to_itself_ends() -> None:
    data = bytearray(saved(Image.fromarray(picture()), "TIFF"))
    at = struct.unpack("<I", data[4:8])[0]
    entries = struct.unpack("<H", data[at : at + 2])[0]
    data[at + 2 + 12 * entries : at + 6 + 12 * entries] = struct.pack("<I", at)
    assert np.array_equal(decode(bytes(data), LIMITS).pixels, picture())
