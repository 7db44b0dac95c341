"""The notice on paper: Chinese is really in it, the code leads to the page, a proof has none."""

import io
import re
import zlib
from base64 import a85decode

import pytest
from PIL import Image

from api.notice_paper import FONT, notice_pdf, wrapped
from models.notice import NoticeFact
from models.user import Locale
from tracing.notice_content import NoticeContent, NoticeValue

CONTENT = NoticeContent(
    values=(
        NoticeValue(fact=NoticeFact.SEX, values=("male",)),
        NoticeValue(fact=NoticeFact.CLOTHING, values=("灰色夹克，黑色长裤。" * 12,)),
    ),
    station_zh="钦南区救助管理站",
    station_en="Qinnan rescue station",
    telephone="0777-2860110",
)
ADDRESS = "http://127.0.0.1:8000/n/" + "x" * 32


def text_of(pdf: bytes) -> str:
    """The characters of the page: in this font two bytes each, escaped as PDF strings are."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    found = ""
    for stream in streams:
        try:
            plain = zlib.decompress(a85decode(stream.strip(), adobe=stream.strip().startswith(b"<~")))
        except (ValueError, zlib.error):
            try:
                plain = zlib.decompress(a85decode(b"<~" + stream.strip(), adobe=True))
            except (ValueError, zlib.error):
                continue
        for string in re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", plain, re.DOTALL):
            raw = re.sub(rb"\\([0-7]{3}|.)", _unescaped, string, flags=re.DOTALL)
            found += raw.decode("utf-16-be", errors="replace") + "\n"
    return found


def _unescaped(match: re.Match[bytes]) -> bytes:
    told = match.group(1)
    names = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
    return bytes([int(told, 8)]) if len(told) == 3 else names.get(told, told)


@pytest.fixture
def photo() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (300, 400), (180, 120, 90)).save(target, "JPEG")
    return target.getvalue()


def test_chinese_is_set_in_a_font_that_readers_have(photo: bytes) -> None:
    pdf = notice_pdf(CONTENT, photo, ADDRESS, "450702-2026-0001", Locale.ZH, public=True)
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert f"/BaseFont /{FONT}".encode() in pdf
    assert b"/UniGB-UCS2-H" in pdf
    text = text_of(pdf)
    for part in ("寻亲公告", "钦南区救助管理站", "0777-2860110", "450702-2026-0001", "性别", "灰色夹克"):
        assert part in text, part
    assert "校样" not in text
    assert len(re.findall(rb"/Subtype /Image", pdf)) == 2  # the photograph and the code


FOUND = NoticeValue(fact=NoticeFact.FOUND_DIVISION, values=("450703",))


@pytest.mark.parametrize("length", [1, 3, 12, 60])
def test_whatever_is_told_the_last_fact_is_on_the_paper(length: int, photo: bytes) -> None:
    many = tuple(NoticeValue(fact=NoticeFact.CLOTHING, values=("灰色夹克，黑色长裤。" * length,)) for _ in range(19))
    content = CONTENT.model_copy(update={"values": (*many, FOUND)})
    pdf = notice_pdf(content, photo, ADDRESS, "450702-2026-0001", Locale.ZH, public=True)
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    text = text_of(pdf)
    assert "钦北区" in text
    assert text.count("衣着") == 19
    assert ("…" in text) is (length > 3)


def test_a_proof_says_so_and_leads_nowhere(photo: bytes) -> None:
    pdf = notice_pdf(CONTENT, photo, ADDRESS, "450702-2026-0001", Locale.EN, public=False)
    text = text_of(pdf)
    assert "Proof, not to be put up" in text
    assert "Qinnan rescue station" in text
    assert len(re.findall(rb"/Subtype /Image", pdf)) == 1
    assert b"xxxx" not in pdf


def test_long_lines_are_broken_and_lose_nothing() -> None:
    notice_pdf(CONTENT, None, ADDRESS, "1", Locale.ZH, public=True)  # registers the font
    text = "灰色夹克，黑色长裤。" * 12
    lines = wrapped(text, 15, 300)
    assert "".join(lines) == text
    assert len(lines) > 4
