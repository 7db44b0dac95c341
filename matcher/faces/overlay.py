"""A picture of what the engine found (检测结果图): boxes, landmarks and numbers drawn over the photograph."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from matcher.faces.engine import DetectedFace
from matcher.faces.intake import Pixels

CHOSEN, OTHER = (0, 200, 90), (255, 196, 0)
"""Colours of the chosen face and of the others: they differ in lightness too, for who sees no green."""

POINT = (255, 64, 160)


def draw(pixels: Pixels, faces: Sequence[DetectedFace], chosen: int | None) -> Pixels:
    """A copy of an RGB photograph (h, w, 3) with each face's box, landmarks and number, counted from 1.

    Lines and letters grow with the photograph. `chosen` is the index of the face that stands out, None for none.
    """
    picture = Image.fromarray(pixels)
    canvas = ImageDraw.Draw(picture)
    line = max(1, round(max(picture.size) / 400))
    for index, face in enumerate(faces):
        colour = CHOSEN if index == chosen else OTHER
        box = face.box
        canvas.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), outline=colour, width=line)
        for x, y in face.landmarks:
            canvas.ellipse((x - line, y - line, x + line, y + line), fill=POINT)
        _number(canvas, box.left, box.top, index + 1, colour, 8 * line + 4)
    return np.array(picture)


def _number(
    canvas: ImageDraw.ImageDraw, left: int, top: int, number: int, colour: tuple[int, int, int], height: int
) -> None:
    """A number on a plate inside the box's corner, where it never leaves the picture."""
    font = ImageFont.load_default(height)
    plate = canvas.textbbox((left + height // 3, top), str(number), font=font)
    canvas.rectangle((left, top, plate[2] + height // 3, plate[3] + height // 4), fill=colour)
    canvas.text((left + height // 3, top), str(number), fill=(0, 0, 0), font=font)
