"""The group `tracing faces`: what the engine sees in a photograph, and how alike two faces are. Nothing is stored."""

import json
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

from matcher.calibration import FaceCalibration, load_calibrations
from matcher.face_cohorts import Circumstances
from matcher.faces.engine import DetectedFace, FaceEngine, choose
from matcher.faces.intake import IntakeLimits, Pixels, decode
from matcher.faces.overlay import draw
from matcher.faces.quality import ADVICE, FaceQuality, QualityComponent, load_parameters
from matcher.fusion import strength
from matcher.vocabulary import Strength
from tracing.photos import prepare_photo
from tracing.platform import logs
from tracing.platform.errors import TracingError
from tracing.platform.settings import Settings, load_settings
from tracing.services import find_faces

faces_app = typer.Typer(no_args_is_help=True, help="Faces in photographs, and the models that read them.")
console = Console()

NO_FACE, REFUSED, NO_FACE_ENGINE = 1, 2, 3
"""Exit codes: nothing to show, a file or option that cannot be taken, an installation without an engine."""

STORED_NOTHING = "Nothing was stored."

WORDS = {
    Strength.AGAINST: "speaks against one person",
    Strength.NONE: "says next to nothing",
    Strength.WEAK: "weak support for one person",
    Strength.MODERATE: "moderate support for one person",
    Strength.MODERATELY_STRONG: "moderately strong support for one person",
    Strength.STRONG: "strong support for one person",
    Strength.VERY_STRONG: "very strong support for one person",
    Strength.EXTREMELY_STRONG: "extremely strong support for one person",
}

Photo = Annotated[Path, typer.Argument(help="A photograph.", exists=True, dir_okay=False, readable=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FaceNumber = typer.Option(min=1, help="Number of the face, as inspect shows it; the chosen one without it.")


@dataclass(frozen=True, slots=True)
class Reader:
    """The engine of the settings, and what its cosines are worth (None where nobody has measured it)."""

    settings: Settings
    engine: FaceEngine
    calibration: FaceCalibration | None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The faces of one photograph as the service would store it; `chosen` is None when there are none."""

    path: Path
    pixels: Pixels
    faces: list[DetectedFace]
    chosen: int | None


@faces_app.command()
def inspect(
    photo: Photo,
    out: Annotated[
        Path | None, typer.Option(help="Draw the faces into this PNG; in a folder, into PHOTO-faces.png.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every face of a photograph: box, landmarks, quality with reasons and advice, and the model. Stores nothing.

    Exit code 1 without a face, 2 when the file is refused, 3 without a face engine.
    """
    reader = _reader()
    reading = _read(reader, photo)
    drawn = None if out is None else _write_picture(reading, out)
    if as_json:
        _print_json(_inspected(reader, reading) | {"picture": None if drawn is None else str(drawn)})
    else:
        _print_reading(reader, reading)
        if drawn is not None:
            console.print(f"The picture is in {drawn} (readable by you alone).", soft_wrap=True)
        console.print(STORED_NOTHING)
    if reading.chosen is None:
        raise typer.Exit(NO_FACE)


@faces_app.command()
def compare(
    a: Photo,
    b: Photo,
    face_a: Annotated[int | None, FaceNumber] = None,
    face_b: Annotated[int | None, FaceNumber] = None,
    as_json: AsJson = False,
) -> None:
    """How alike the faces of two photographs are, and what that is worth as evidence. Stores nothing.

    Exit code 1 when a photograph has no face, 2 when a file or a face number is refused, 3 without a face engine.
    """
    reader = _reader()
    sides = [(_read(reader, path), number) for path, number in ((a, face_a), (b, face_b))]
    picked = [_pick(reading, number) for reading, number in sides]
    first, second = (reading.faces[index] for (reading, _), index in zip(sides, picked, strict=True))
    cosine = float(first.embedding @ second.embedding)
    of = Circumstances(quality=float(min(first.quality.overall, second.quality.overall)))
    log10_lr = None if reader.calibration is None else reader.calibration.log10_lr(cosine, of)
    word = None if log10_lr is None else strength(log10_lr)
    if as_json:
        _print_json(
            {
                "model_version": reader.engine.model_version,
                "cosine": round(cosine, 4),
                "log10_lr": None if log10_lr is None else round(log10_lr, 2),
                "strength": None if word is None else word.value,
                "faces": [
                    {"photo": str(reading.path), "number": index + 1, "faces": len(reading.faces)}
                    | {"quality": _quality(reading.faces[index].quality)}
                    for (reading, _), index in zip(sides, picked, strict=True)
                ],
            }
        )
        return
    table = Table("photograph", "face", "quality", "advice")
    for (reading, _), index in zip(sides, picked, strict=True):
        quality = reading.faces[index].quality
        table.add_row(reading.path.name, f"{index + 1} of {len(reading.faces)}", str(quality.overall), _advice(quality))
    console.print(table)
    console.print(f"model   {reader.engine.model_version}", soft_wrap=True)
    console.print(f"cosine  {cosine:.4f}")
    if log10_lr is None or word is None:
        console.print("log10 LR: this model has no calibration; see docs/faces.md.", soft_wrap=True)
    else:
        console.print(f"log10 LR {log10_lr:+.2f}: {WORDS[word]}", soft_wrap=True)
        console.print("A face is one piece of evidence and no proof.", soft_wrap=True)
    console.print(STORED_NOTHING)


def _reader() -> Reader:
    settings = load_settings()
    logs.configure(settings)
    engines = find_faces(settings.faces, settings.data_dir / "models")
    known = engines.known.get(engines.wanted)
    if known is None:
        _refuse(
            "There is no face engine: GUITU_FACES__ENGINE in docs/settings.md names those there are.", NO_FACE_ENGINE
        )
    calibration = known.calibration or load_calibrations().get(known.model_version)
    return Reader(settings, known.build(), calibration)


def _read(reader: Reader, path: Path) -> Reading:
    """The faces of a file, taken in as an upload would be."""
    try:
        prepared = prepare_photo(path.read_bytes(), reader.settings)
    except TracingError as error:
        _refuse(f"{path}: {error.message.format(**error.params)}", REFUSED)
    pixels = decode(prepared.data, IntakeLimits()).pixels
    faces = reader.engine.detect(pixels)
    return Reading(path, pixels, faces, choose(faces, prepared.width, prepared.height) if faces else None)


def _pick(reading: Reading, number: int | None) -> int:
    """Index of the face asked for, or of the chosen one."""
    if reading.chosen is None:
        _refuse(f"{reading.path}: no face was found.", NO_FACE)
    if number is None:
        return reading.chosen
    if number > len(reading.faces):
        _refuse(f"{reading.path}: there is no face {number}; found: {len(reading.faces)}.", REFUSED)
    return number - 1


def _write_picture(reading: Reading, out: Path) -> Path:
    path = out / f"{reading.path.stem}-faces.png" if out.is_dir() else out
    encoded = BytesIO()
    Image.fromarray(draw(reading.pixels, reading.faces, reading.chosen)).save(encoded, "PNG")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(encoded.getvalue())
    except FileExistsError:
        _refuse(f"{path} is there already; name another file.", REFUSED)
    except OSError as error:
        _refuse(f"{path} cannot be written: {error.strerror}.", REFUSED)
    return path


def _print_reading(reader: Reader, reading: Reading) -> None:
    height, width = reading.pixels.shape[:2]
    console.print(f"{reading.path.name}: {width} x {height} pixels, faces: {len(reading.faces)}", soft_wrap=True)
    console.print(f"model {reader.engine.model_version}", soft_wrap=True)
    for index, face in enumerate(reading.faces):
        score = "none" if face.score is None else f"{face.score:.2f}"
        places = " ".join(f"({x:.0f}, {y:.0f})" for x, y in face.landmarks)
        box = ", ".join(f"{edge} {value}" for edge, value in face.box._asdict().items())
        console.print(f"\nFace {index + 1}{' (chosen)' if index == reading.chosen else ''}: {box}", soft_wrap=True)
        console.print(f"detector's score {score}; landmarks {places}", soft_wrap=True)
        table = Table("component", "0-100", "reason", "advice", title=f"quality {face.quality.overall}")
        for name, entry in _quality(face.quality)["components"].items():
            table.add_row(name, str(entry["score"]), entry["reason"], (entry["advice"] or "").replace("_", " "))
        console.print(table)


def _inspected(reader: Reader, reading: Reading) -> dict[str, Any]:
    height, width = reading.pixels.shape[:2]
    return {
        "photo": str(reading.path),
        "width": width,
        "height": height,
        "model_version": reader.engine.model_version,
        "chosen": None if reading.chosen is None else reading.chosen + 1,
        "faces": [
            {
                "number": index + 1,
                "box": face.box._asdict(),
                "score": face.score,
                "landmarks": [[float(x), float(y)] for x, y in face.landmarks],
                "quality": _quality(face.quality),
            }
            for index, face in enumerate(reading.faces)
        ],
    }


def _quality(quality: FaceQuality) -> dict[str, Any]:
    """The figures with their reasons; an advice only where the component fell short."""
    parameters = load_parameters()
    components = {}
    for name, score in quality.components.items():
        given, found = parameters.components[name], quality.measures.get(name)
        measured = "not measurable" if found is None else f"{found:.3g} {given.unit}"
        components[name] = {
            "score": score,
            "reason": f"{measured} (0 at {given.zero:g}, 100 at {given.full:g})",
            "advice": ADVICE[QualityComponent(name)].value if score < parameters.advice_below else None,
        }
    return {"overall": quality.overall, "components": components, "advice": list(quality.advice)}


def _advice(quality: FaceQuality) -> str:
    return ", ".join(advice.replace("_", " ") for advice in quality.advice)


def _print_json(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2))


def _refuse(text: str, code: int) -> NoReturn:
    Console(stderr=True).print(text, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)
