"""A notice on paper (公告打印件): one A4 page with photograph, features, telephone and a code to the notice's page.

Chinese is set in the CID font STSong-Light, which PDF readers bring along, so that no font file is needed.
"""

import io

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from api.messages import translate
from api.notice_words import lines, station
from models.user import Locale
from tracing.notice_content import NoticeContent

FONT = "STSong-Light"
MARGIN = 18 * mm
PHOTO_HEIGHT = 88 * mm
CODE_SIDE = 34 * mm
PROOF_GREY = HexColor("#9a9a9a")
LABEL_ROOM = 38 * mm
SIZES = ((15.0, 7.6 * mm), (12.0, 6 * mm), (10.0, 5 * mm), (8.0, 4 * mm))
"""Size and leading of the facts; the first one at which all of them fit is taken."""


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
    y = _heading(canvas, locale, public=public)
    if photo is not None:
        y = _photograph(canvas, photo, y)
    _facts(canvas, content, locale, y)
    _foot(canvas, content, address, number, locale, public=public)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def _heading(canvas: Canvas, locale: Locale, *, public: bool) -> float:
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
    return float(height - 48 * mm)


def _photograph(canvas: Canvas, photo: bytes, y: float) -> float:
    image = ImageReader(io.BytesIO(photo))
    across, down = image.getSize()
    scale = min((A4[0] - 2 * MARGIN) / across, PHOTO_HEIGHT / down)
    width, height = across * scale, down * scale
    canvas.drawImage(image, (A4[0] - width) / 2, y - height, width, height)
    return float(y - height - 6 * mm)


def _facts(canvas: Canvas, content: NoticeContent, locale: Locale, y: float) -> None:
    facts, height = lines(content, locale), y - (CODE_SIDE + MARGIN + 14 * mm)
    for size, leading in SIZES:
        texts = [wrapped(one.text, size, A4[0] - 2 * MARGIN - LABEL_ROOM) for one in facts]
        if sum(map(len, texts)) <= height // leading:
            break
    texts = _cut(texts, int(height // leading))
    canvas.setFont(FONT, size)
    for fact, parts in zip(facts, texts, strict=True):
        canvas.drawString(MARGIN, y - size, fact.label)
        for part in parts:
            canvas.drawString(MARGIN + LABEL_ROOM, y - size, part)
            y -= leading


def _cut(texts: list[list[str]], most: int) -> list[list[str]]:
    """The texts in at most so many lines: the longest are cut, so that no later fact is left out."""
    cut = [list(parts) for parts in texts]
    while sum(map(len, cut)) > most:
        longest = max(cut, key=len)
        if len(longest) == 1:
            break
        longest[-2:] = [longest[-2][:-1] + "…"]
    return cut


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
