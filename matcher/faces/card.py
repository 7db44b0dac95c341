"""A card (模型卡): what a TOML file says of somebody's ONNX face model, every field checked. See `docs/models.md`."""

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from matcher.faces.alignment import load_templates
from matcher.faces.card_fields import CardInvalid as CardInvalid
from matcher.faces.card_fields import Fields
from matcher.faces.transforms import Point
from matcher.faces.weights import detector_version

COLOURS = ("rgb", "bgr")
LAYOUTS = ("nchw", "nhwc")
VIEWS = ("mirror",)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 64 * 1024
# Raised when the same card would give other vectors: it is part of the model version.
_PREPROCESSING = "similarity, bilinear, 1"


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What the network reads: value = (pixel * scale - mean) / std, where a pixel's channel is 0 to 255.

    Attributes:
        size: side of the square picture in pixels.
        colour: "rgb" or "bgr", the order of the channels.
        scale, mean, std: `mean` and `std` have one value a channel, in the order of `colour`.
        layout: "nchw" or "nhwc", where the channels are among the axes.
    """

    size: int
    colour: str
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    layout: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A checked card.

    Attributes:
        name: the first part of the model version.
        file: the ONNX file; `sha256` is its hash in hex, as it was when the card was read.
        licence: the licence under which the operator uses the model; `licence_notes` and `source` may be empty.
        input: what the network reads.
        points: where dlib's five landmarks belong in that picture, (x, y) in pixels.
        dimension: length of an embedding.
        output: name of the network's output, None when it has one only.
        views: further views of a face that are averaged: "mirror".
        calibration: file that turns cosines of this model into evidence, None when there is none yet.
    """

    name: str
    file: Path
    sha256: str
    licence: str
    licence_notes: str
    source: str
    input: ModelInput
    points: tuple[Point, ...]
    dimension: int
    output: str | None
    views: tuple[str, ...]
    calibration: Path | None


def read_card(path: Path) -> ModelCard:
    """The card in the TOML file `path`; files that it names must be in its folder. Reads the ONNX file for its hash.

    Raises CardInvalid, whose message names the field and the remedy.
    """
    top = Fields(path.name, "", _parsed(path))
    name = top.text("name", "write the model's name: lower-case letters, digits, dots and dashes", _NAME)
    file = top.file("file", path.parent, "write the name of the ONNX file beside the card")
    sha256 = _digest(file, top)
    pinned = top.text("sha256", "write the file's SHA-256, 64 hex digits in lower case", _SHA256, default=sha256)
    if pinned != sha256:
        raise top.invalid("sha256", f"{file.name} has {sha256}", "use the file that was meant, or check this one anew")
    licence = top.text("licence", "write the licence under which you use this model")
    network = _input(top.table("input", "add a table [input]"))
    alignment = _points(top.table("alignment", "add a table [alignment]"), network.size)
    output = top.table("output", "add a table [output]")
    card = ModelCard(
        name=name,
        file=file,
        sha256=sha256,
        licence=licence,
        licence_notes=top.text("licence_notes", "write a text, or leave it out", default=""),
        source=top.text("source", "write where the model is from, or leave it out", default=""),
        input=network,
        points=alignment,
        dimension=output.whole("dimension", (2, 4096), "write the number of values that the network gives for a face"),
        output=output.text("name", "write the output's name, or leave it out", default="") or None,
        views=top.choices("views", VIEWS, 'write ["mirror"], or leave it out'),
        calibration=top.file("calibration", path.parent, "write the name of the file beside the card, or leave it out")
        if top.has("calibration")
        else None,
    )
    output.finish()
    top.finish()
    return card


def embedding_version(card: ModelCard) -> str:
    """Name, preprocessing and weights, such as "sface-1a2b3c4d-0123456789ab": at most 54 characters."""
    preprocessing = json.dumps(
        [
            _PREPROCESSING,
            [card.input.size, card.input.colour, card.input.scale, card.input.mean, card.input.std, card.input.layout],
            card.points,
            card.output,
            card.views,
        ]
    )
    return f"{card.name}-{hashlib.sha256(preprocessing.encode()).hexdigest()[:8]}-{card.sha256[:12]}"


def model_version(card: ModelCard) -> str:
    """Version of the card's embedding space, as `OnnxFaceEngine` with this card gives it: at most 71 characters.

    It ends in the version of the detector and the landmarks, such as "-cnn-0123456789ab". Raises FaceEngineUnavailable
    when dlib's weights, which find the faces, are not installed.
    """
    return f"{embedding_version(card)}-{detector_version()}"


def _parsed(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CardInvalid(path.name, "", f"larger than {_MOST_BYTES} bytes", "name a card, not a model")
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CardInvalid(path.name, "", f"cannot be read ({error.strerror})", "check its name and rights") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CardInvalid(path.name, "", f"is no TOML: {error}", "correct it; see docs/models.md") from error


def _digest(file: Path, top: Fields) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise top.invalid("file", f"cannot be read ({error.strerror})", "check its rights") from error


def _input(fields: Fields) -> ModelInput:
    remedy = "write what the network was trained with, [a, b, c] in its order of channels"
    result = ModelInput(
        size=fields.whole("size", (16, 1024), "write the side of the network's square input in pixels"),
        colour=fields.choice("colour", COLOURS, "write the order of the channels that the network reads"),
        scale=fields.number("scale", "write the factor of a pixel's 0 to 255 (1.0 for none)", positive=True),
        mean=fields.three("mean", remedy, positive=False),
        std=fields.three("std", remedy, positive=True),
        layout=fields.choice("layout", LAYOUTS, "write the order of the axes", default="nchw"),
    )
    fields.finish()
    return result


def _points(fields: Fields, size: int) -> tuple[Point, ...]:
    """The five places of the template that the card names, or of its own."""
    if fields.has("template") == fields.has("points"):
        raise fields.invalid("template", "one of template and points is needed", 'write template = "arcface"')
    if fields.has("template"):
        templates = load_templates()
        name = fields.choice("template", tuple(templates), "name a template that there is, or write points")
        points = templates[name].scaled(size)
    else:
        remedy = "write [[x, y], …]: the left eye's outer and inner corner, the right eye's, the base of the nose"
        points = fields.points("points", 5, (-size, 2 * size), remedy)
        # The person's left eye is on the right of the picture; the other way round would mirror every face.
        if points[0][0] <= points[2][0] or len(set(points)) < 5:
            raise fields.invalid("points", "not a face that looks at the camera", remedy)
    fields.finish()
    return points
