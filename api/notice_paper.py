"""A notice on paper (公告打印件): photograph, features, telephone and a code to the notice's page, on A4.

One page, unless more is told than fits in the smallest type; each page has the telephone and the code.

Chinese is set in the CID font STSong-Light, which PDF readers bring along, so that no font file is needed.
"""

import io
from collections.abc import Sequence

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from api.messages import translate
from api.notice_words import Line, lines, station
from models.user import Locale
from tracing.notice_content import NoticeContent

FONT = "STSong-Light"
MARGIN = 18 * mm
PHOTO_HEIGHT = 88 * mm
CODE_SIDE = 34 * mm
PROOF_GREY = HexColor("#9a9a9a")
LABEL_ROOM = 38 * mm
SIZES = ((15.0, 7.6 * mm), (12.0, 6 * mm), (10.0, 5 * mm), (8.0, 4 * mm))
"""Size and leading of the facts; the first one at which all of them fit on one page is taken, else the last."""
FOOT = MARGIN + CODE_SIDE + 14 * mm
"""What the facts leave free below them."""


def notice_pdf(
    content: NoticeContent, photo: bytes | None, address: str, number: str, locale: Locale, *, public: bool
) -> bytes:
    """The page as a PDF file. `public` False: marked as a proof, without the code to a page that nobody can see."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, pageCompression=1, lang="zh-CN" if locale is Locale.ZH else "en")
    canvas.setTitle(translate(locale, "Family-tracing notice"))
    canvas.setAuthor(station(content, locale))
    size, leading, pages = _pages(lines(content, locale), _top(photo))
    for page, rows in enumerate(pages, start=1):
        _heading(canvas, locale, public=public)
        if photo is not None and page == 1:
            _photograph(canvas, photo)
        y = _top(photo if page == 1 else None)
        canvas.setFont(FONT, size)
        for label, part in rows:
            canvas.drawString(MARGIN, y - size, label)
            canvas.drawString(MARGIN + LABEL_ROOM, y - size, part)
            y -= leading
        place = f"{number}  {page}/{len(pages)}" if len(pages) > 1 else number
        _foot(canvas, content, address, place, locale, public=public)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _top(photo: bytes | None) -> float:
    """Where the facts begin, from the foot of the page."""
    return float(A4[1] - 48 * mm - (0 if photo is None else _photo_size(photo)[1] + 6 * mm))


def _heading(canvas: Canvas, locale: Locale, *, public: bool) -> None:
    width, height = A4
    if not public:
        canvas.setFont(FONT, 14)
        canvas.setFillColor(PROOF_GREY)
        canvas.drawCentredString(width / 2, height - 12 * mm, translate(locale, "Proof, not to be put up"))
        canvas.setFillColor(HexColor("#000000"))
    canvas.setFont(FONT, 34)
    canvas.drawCentredString(width / 2, height - 30 * mm, translate(locale, "Family-tracing notice"))
    canvas.setFont(FONT, 14)
    canvas.drawCentredString(
        width / 2, height - 40 * mm, translate(locale, "Do you know this person? Somebody may be looking for them.")
    )


def _photograph(canvas: Canvas, photo: bytes) -> None:
    width, height = _photo_size(photo)
    image = ImageReader(io.BytesIO(photo))
    canvas.drawImage(image, (A4[0] - width) / 2, _top(None) - height, width, height)


def _photo_size(photo: bytes) -> tuple[float, float]:
    across, down = ImageReader(io.BytesIO(photo)).getSize()
    scale = min((A4[0] - 2 * MARGIN) / across, PHOTO_HEIGHT / down)
    return across * scale, down * scale


def _pages(facts: Sequence[Line], top: float) -> tuple[float, float, list[list[tuple[str, str]]]]:
    """Size, leading, and the label and text of each line by pages, the first of which begins at `top`."""
    for size, leading in SIZES:
        texts = [(one.label, wrapped(one.text, size, A4[0] - 2 * MARGIN - LABEL_ROOM)) for one in facts]
        rows = [(label if part == 0 else "", text) for label, parts in texts for part, text in enumerate(parts)]
        first = int((top - FOOT) // leading)
        if len(rows) <= first:
            break
    later = int((_top(None) - FOOT) // leading)
    rest = [rows[start : start + later] for start in range(first, len(rows), later)]
    return size, leading, [rows[:first], *rest]


def wrapped(text: str, size: float, room: float) -> list[str]:
    """The text in lines that fit into `room` points; Chinese breaks anywhere."""
    found, current = [], ""
    for character in text.replace("\n", " "):
        if current and pdfmetrics.stringWidth(current + character, FONT, size) > room:
            found.append(current)
            current = ""
        current += character
    return [*found, current]


def _foot(canvas: Canvas, content: NoticeContent, address: str, number: str, locale: Locale, *, public: bool) -> None:
    top = MARGIN + CODE_SIDE
    canvas.line(MARGIN, top + 6 * mm, A4[0] - MARGIN, top + 6 * mm)
    canvas.setFont(FONT, 13)
    canvas.drawString(MARGIN, top - 4 * mm, station(content, locale))
    canvas.setFont(FONT, 24)
    canvas.drawString(MARGIN, top - 16 * mm, content.telephone)
    canvas.setFont(FONT, 11)
    told = translate(locale, "Call, or scan the code and write what you know.") if public else ""
    canvas.drawString(MARGIN, top - 25 * mm, told)
    canvas.drawString(MARGIN, top - 32 * mm, number)
    if public:
        code = io.BytesIO()
        segno.make(address, error="m", micro=False).save(code, kind="png", scale=8, border=4)
        code.seek(0)
        canvas.drawImage(ImageReader(code), A4[0] - MARGIN - CODE_SIDE, MARGIN - 2 * mm, CODE_SIDE, CODE_SIDE)
