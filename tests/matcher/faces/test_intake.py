"""`matcher.faces.intake`: what is taken in, and every way of being refused."""

import struct
import tracemalloc
import zlib
from contextlib import suppress
from datetime import datetime
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile, PngImagePlugin

from matcher.faces.intake import ImageRefused, IntakeLimits, Pixels, RefusalReason, decode, encode, resize_to_fit

LIMITS = IntakeLimits()
WHEN = datetime.fromisoformat("2023-05-04T08:09:10")


def picture(width: int = 96, height: int = 64) -> Pixels:
    """Left half red, right half blue, its top quarter white: every turn of it looks different."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = (220, 30, 30)
    pixels[:, width // 2 :] = (30, 30, 220)
    pixels[: height // 4] = 255
    return pixels


def saved(image: Image.Image, format_name: str, **options: Any) -> bytes:
    target = BytesIO()
    image.save(target, format_name, **options)
    return target.getvalue()


def made(format_name: str, **options: Any) -> bytes:
    return saved(Image.fromarray(picture()), format_name, **options)


def refusal(data: bytes, limits: IntakeLimits = LIMITS) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        decode(data, limits)
    return caught.value


def png_header(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    parts = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in (header, *chunks, (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("format_name", "ours"),
    [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("HEIF", "heic"), ("BMP", "bmp"), ("TIFF", "tiff")],
)
def test_formats(format_name: str, ours: str) -> None:
    photograph = decode(made(format_name), LIMITS)
    assert photograph.format == ours
    assert photograph.pixels.shape == (64, 96, 3)
    assert photograph.pixels.dtype == np.uint8
    assert photograph.captured_at is None
    assert np.abs(photograph.pixels.astype(int) - picture().astype(int)).mean() < 12


def test_lossless_webp_and_png_are_exact() -> None:
    for data in (made("PNG"), made("WEBP", lossless=True)):
        assert np.array_equal(decode(data, LIMITS).pixels, picture())


@pytest.mark.parametrize("mode", ["L", "CMYK", "YCbCr"])
def test_jpeg_colour_modes(mode: str) -> None:
    pixels = decode(saved(Image.fromarray(picture()).convert(mode), "JPEG"), LIMITS).pixels
    assert pixels.shape == (64, 96, 3)
    assert pixels[:10].mean() > 240
    if mode == "CMYK":
        assert pixels[50, 10, 0] > pixels[50, 10, 2]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_png_colour_modes(mode: str) -> None:
    image = Image.fromarray(picture())
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    pixels = decode(saved(image, "PNG"), LIMITS).pixels
    assert pixels.shape == (64, 96, 3)
    assert pixels[:10].mean() > 240
    if mode == "I;16":
        assert np.array_equal(pixels[:, :, 0], np.asarray(Image.fromarray(picture()).convert("L")))


def test_png_with_16_bits_a_channel() -> None:
    grain = np.random.default_rng(4).integers(0, 65536, (64, 96, 3))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in grain)
    parts = {b"IHDR": struct.pack(">IIBBBBB", 96, 64, 16, 2, 0, 0, 0), b"IDAT": zlib.compress(rows), b"IEND": b""}
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts.items()
    )
    assert np.abs(decode(data, LIMITS).pixels.astype(int) - grain // 256).max() <= 1


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert decode(saved(clear, "PNG"), LIMITS).pixels.min() == 255
    palette = Image.fromarray(picture()).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    red = palette.getpixel((10, 50))
    pixels = decode(saved(palette, "PNG", transparency=red), LIMITS).pixels
    assert pixels[50, 10].min() == 255
    assert pixels[50, 90, 2] > 200 > 100 > pixels[50, 90, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    stored = {
        1: picture(),
        2: picture()[:, ::-1],
        3: picture()[::-1, ::-1],
        4: picture()[::-1],
        5: picture().transpose(1, 0, 2),
        6: np.rot90(picture(), 1),
        7: picture()[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(picture(), -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    assert np.array_equal(decode(data, LIMITS).pixels, picture())


def test_capture_time_survives_and_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    exif[0x8825] = {1: "N", 2: (21.0, 58.0, 0.0)}
    exif[0x8769] = {0x9003: "2023:05:04 08:09:10"}
    photograph = decode(made("JPEG", exif=exif, comment=b"secret"), LIMITS)
    assert photograph.captured_at == WHEN
    stored = encode(photograph.pixels, photograph.captured_at)
    with Image.open(BytesIO(stored)) as image:
        kept = image.getexif()
        assert set(kept) == {0x8769}
        assert set(kept.get_ifd(0x8769)) == {0x9003}
        assert "comment" not in image.info
    assert b"secret" not in stored
    assert decode(stored, LIMITS).captured_at == WHEN
    assert decode(encode(photograph.pixels, None), LIMITS).captured_at is None


@pytest.mark.parametrize("text", ["", "    :  :     :  :  ", "0000:00:00 00:00:00", "yesterday", "2023:05:04"])
def test_a_wrong_date_is_no_date(text: str) -> None:
    exif = Image.Exif()
    exif[0x8769] = {0x9003: text}
    found = decode(made("JPEG", exif=exif), LIMITS).captured_at
    assert found is None or found == WHEN.replace(hour=0, minute=0, second=0)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_metadata_does_not_refuse_a_good_photograph() -> None:
    data = made("JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff" + b"\xff" * 40)
    assert decode(data, LIMITS).pixels.shape == (64, 96, 3)


def test_empty() -> None:
    assert refusal(b"").reason is RefusalReason.EMPTY


def test_too_many_bytes() -> None:
    found = refusal(made("JPEG"), IntakeLimits(max_bytes=100))
    assert found.reason is RefusalReason.TOO_MANY_BYTES
    assert found.params["max_bytes"] == 100


@pytest.mark.parametrize("data", [b"hello", b"%PDF-1.7", b"GIF89a" + b"\0" * 50, b"<svg/>", b"\0" * 1000, b"RIFF"])
def test_unknown_format(data: bytes) -> None:
    found = refusal(data)
    assert found.reason is RefusalReason.UNKNOWN_FORMAT
    assert found.params["accepted"] == ["bmp", "heic", "jpeg", "png", "tiff", "webp"]


@pytest.mark.parametrize("format_name", ["GIF", "PPM", "ICO", "JPEG2000", "TGA"])
def test_other_real_formats_are_not_taken(format_name: str) -> None:
    assert refusal(made(format_name)).reason is RefusalReason.UNKNOWN_FORMAT


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "HEIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated(format_name: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    data = saved(Image.fromarray(noise), format_name)
    found = refusal(data[: int(len(data) * share)])
    assert found.reason is RefusalReason.TRUNCATED
    assert str(found) == "truncated"


def test_a_library_that_fills_truncated_images_in_is_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = made("JPEG")
    assert refusal(data[: len(data) // 2]).reason is RefusalReason.TRUNCATED


def test_headers_alone_refuse_decompression_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", never)
    for side in (16_001, 30_000, 2**31 - 1):
        found = refusal(png_header(side, side))
        assert found.reason is RefusalReason.TOO_MANY_PIXELS
    jpeg = bytearray(made("JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 30_000)
    assert refusal(bytes(jpeg)).reason is RefusalReason.TOO_MANY_PIXELS
    webp = bytearray(made("WEBP"))
    webp[26:30] = struct.pack("<HH", 16_383, 16_383)
    found = refusal(bytes(webp))
    assert found.reason is RefusalReason.TOO_MANY_PIXELS
    assert found.params["width"] == 16_383


def test_a_long_strip_is_refused_by_its_side() -> None:
    assert refusal(png_header(100, 20_000)).reason is RefusalReason.TOO_MANY_PIXELS


def test_heic_by_its_header() -> None:
    found = refusal(made("HEIF"), IntakeLimits(max_pixels=5_000))
    assert found.params == {"width": 96, "height": 64, "max_pixels": 5_000, "max_side": LIMITS.max_side}


@pytest.mark.parametrize("chunk", [b"zTXt", b"iTXt", b"iCCP"])
def test_png_metadata_bombs(chunk: bytes) -> None:
    bomb = zlib.compress(b"\0" * 200_000_000, 9)
    body = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\x01\0\0\0", b"iCCP": b"k\0\0"}[chunk] + bomb
    good = made("PNG")
    after_header = 8 + 25
    packed = struct.pack(">I", len(body)) + chunk + body + struct.pack(">I", zlib.crc32(chunk + body))
    data = good[:after_header] + packed + good[after_header:]
    tracemalloc.start()
    try:
        # Leaving the bomb folded is as good as refusing it.
        with suppress(ImageRefused):
            decode(data, LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


def test_too_small() -> None:
    found = refusal(saved(Image.new("RGB", (200, 20)), "PNG"))
    assert found.reason is RefusalReason.TOO_SMALL
    assert found.params == {"width": 200, "height": 20, "min_side": LIMITS.min_side}


@pytest.mark.parametrize("format_name", ["PNG", "WEBP"])
def test_animated(format_name: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "green")]
    data = saved(frames[0], format_name, save_all=True, append_images=frames[1:])
    assert refusal(data).reason is RefusalReason.ANIMATED


def test_too_many_scans() -> None:
    data = made("JPEG", progressive=True)
    assert decode(data, LIMITS).format == "jpeg"
    start = data.index(b"\xff\xda")
    scan = data[start : data.index(b"\xff", start + 14)]
    bomb = data[:start] + scan * 200 + data[start:]
    assert refusal(bomb).reason is RefusalReason.TOO_MANY_SCANS


def test_long_text_before_the_pixels_is_taken() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("note", "x" * 1000, zip=True)
    assert decode(made("PNG", pnginfo=text), LIMITS).format == "png"


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "HEIF", "BMP", "TIFF"]),
    st.lists(st.tuples(st.integers(0), st.integers(0, 255))),
)
def test_damage_is_refused_or_harmless(format_name: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(made(format_name))
    for position, value in changes:
        data[position % len(data)] = value
    try:
        pixels = decode(bytes(data), IntakeLimits(max_pixels=1_000_000)).pixels
    except ImageRefused:
        return
    assert pixels.ndim == 3


def test_resize_to_fit() -> None:
    assert resize_to_fit(picture(), 96) is not None
    assert resize_to_fit(picture(), 48).shape == (32, 48, 3)
    assert np.array_equal(resize_to_fit(picture(), 500), picture())
    assert resize_to_fit(np.zeros((1, 1000, 3), np.uint8), 100).shape == (1, 100, 3)


def test_encoding_keeps_the_picture() -> None:
    again = decode(encode(picture(), WHEN), LIMITS).pixels
    assert np.abs(again.astype(int) - picture().astype(int)).mean() < 3
