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


def strings(pdf: bytes) -> list[list[tuple[float, str]]]:
    """Height from the foot of the page and characters of each string, by pages.

    In this font characters are two bytes each, escaped as PDF strings are.
    """
    pages = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            plain = zlib.decompress(a85decode(b"<~" + stream.strip().removeprefix(b"<~"), adobe=True))
        except (ValueError, zlib.error):
            continue  # a picture
        drawn = re.findall(rb"1 0 0 1 [\d.]+ ([\d.-]+) Tm [^()]*\(((?:\\.|[^\\()])*)\) Tj", plain, re.DOTALL)
        if drawn:
            pages.append([(float(height), _characters(raw)) for height, raw in drawn])
    return pages


def text_of(pdf: bytes) -> str:
    """All characters, a line each string."""
    return "\n".join(string for page in strings(pdf) for _, string in page)


def _characters(raw: bytes) -> str:
    return re.sub(rb"\\([0-7]{3}|.)", _unescaped, raw, flags=re.DOTALL).decode("utf-16-be")


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


@pytest.mark.parametrize(("length", "facts", "pages"), [(1, 21, 1), (1, 22, 2), (1, 60, 2), (12, 19, 2), (60, 19, 7)])
def test_whatever_is_told_is_on_the_paper_above_the_foot(length: int, facts: int, pages: int, photo: bytes) -> None:
    told = "灰色夹克，黑色长裤。" * length
    many = tuple(NoticeValue(fact=NoticeFact.CLOTHING, values=(told,)) for _ in range(facts))
    content = CONTENT.model_copy(update={"values": (*many, FOUND)})
    pdf = notice_pdf(content, photo, ADDRESS, "450702-2026-0001", Locale.ZH, public=True)
    assert len(re.findall(rb"/Type /Page\b", pdf)) == len(strings(pdf)) == pages
    text = "".join(string for page in strings(pdf) for _, string in page)
    assert "钦北区" in text
    assert text.count("衣着") == facts
    assert text.count("灰色夹克") > facts * length * 0.9  # some are broken at the end of a page
    for number, page in enumerate(strings(pdf), start=1):
        names = [string for _, string in page]
        assert {"钦南区救助管理站", "0777-2860110"} <= set(names)
        assert f"450702-2026-0001  {number}/{pages}" in names or pages == 1
        station = names.index("钦南区救助管理站")
        heights = [height for height, _ in page[:station]]
        assert len(heights) > 2
        assert min(heights) > page[station][0] + 10, "the foot is overrun"


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
