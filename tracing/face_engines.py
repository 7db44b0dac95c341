"""Face engines (人脸引擎) by model version: those that come with the software, and the operator's own cards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from threading import Lock
from types import MappingProxyType

import structlog

from matcher.calibration import FaceCalibration, read_calibration
from matcher.faces import card as cards
from matcher.faces.card import ModelCard
from matcher.faces.card_embedder import CardEmbedder
from matcher.faces.card_fields import CardInvalid
from matcher.faces.dlib_engine import DIMENSION, DlibFaceEngine
from matcher.faces.engine import FaceEngine
from matcher.faces.onnx_engine import OnnxFaceEngine
from matcher.faces.runner import missing_providers
from matcher.faces.weights import FaceEngineUnavailable, check_installed, model_version, onnx_model_version
from models.photo import NO_MODEL
from tracing.platform.settings import FaceSettings, SettingsError

log = structlog.stdlib.get_logger(__name__)
_LOADING = Lock()

DLIB_ENGINE = "face_recognition"
ONNX_ENGINE = "dlib_onnx"
NO_ENGINE = NO_MODEL
"""Model version of an installation without a face engine: everything works, by attributes alone."""


@dataclass(frozen=True)
class KnownEngine:
    """An engine that this process can load. `name` is what the setting calls it; `dimension` that of an embedding."""

    name: str
    model_version: str
    dimension: int
    build: Callable[[], FaceEngine] = field(repr=False)
    calibration: FaceCalibration | None = None


@dataclass(frozen=True)
class FaceEngines:
    """Every engine of a process by model version, each loaded at first use: a process without jobs never loads one.

    `wanted` is the model version that the settings name, NO_ENGINE when they name none or it cannot be had. With
    `switched_off` there are to be no faces at all.
    """

    wanted: str
    known: Mapping[str, KnownEngine]
    switched_off: bool = False
    said: set[tuple[str, str]] = field(default_factory=set, repr=False, compare=False)

    def load(self, version: str) -> FaceEngine | None:
        """The engine of a model version, None when this process does not have it."""
        engine = self.known.get(version)
        if engine is None:
            return None
        with _LOADING:  # two threads at the first use would otherwise build two, of hundreds of megabytes each
            return engine.build()

    def named(self, name: str) -> KnownEngine | None:
        """The engine of that name or model version."""
        return self.known.get(name) or next((one for one in self.known.values() if one.name == name), None)

    def say_once(self, event: str, version: str, remedy: str) -> None:
        """Log a warning about a model version, the first time only."""
        if (event, version) not in self.said:
            self.said.add((event, version))
            log.warning(event, model=version, remedy=remedy)


def find_faces(settings: FaceSettings, models: Path) -> FaceEngines:
    """The engines of this installation; `models` is the folder of the cards and of what the engines build.

    What cannot be had is said in the log, and the service goes on without it. Raises SettingsError when the settings
    name neither an engine nor a card.
    """
    if settings.engine == NO_ENGINE:
        return FaceEngines(NO_ENGINE, MappingProxyType({}), switched_off=True)
    builtin: dict[str, Callable[[], KnownEngine]] = {
        DLIB_ENGINE: partial(_dlib, settings.max_detection_side),
        ONNX_ENGINE: partial(_onnx, settings, models),
    }
    files = {path.stem: path for path in sorted(models.glob("*.toml"))}
    if settings.engine not in {*builtin, *files}:
        raise SettingsError(
            "GUITU_FACES__ENGINE names no engine. Set it to face_recognition, dlib_onnx or none, or put the card of"
            " that name into the folder “models” of GUITU_DATA_DIR."
        )
    missing = missing_providers(settings.providers)
    if missing:
        raise SettingsError(
            f"GUITU_FACES__PROVIDERS names {', '.join(missing)}, which the installed onnxruntime does not have. Install"
            " the onnxruntime that has it, or leave it out."
        )
    own: dict[str, Callable[[], KnownEngine]] = {
        name: partial(_carded, path, settings, models) for name, path in files.items()
    }
    wanted, known = NO_ENGINE, {}
    for name, find in (own | builtin).items():  # a card cannot take the place of a built-in engine
        try:
            engine = find()
        except (FaceEngineUnavailable, CardInvalid) as error:
            if name == settings.engine or isinstance(error, CardInvalid):
                log.warning("no_face_engine", engine=name, remedy=str(error))
            continue
        known[engine.model_version] = engine
        if name == settings.engine:
            wanted = engine.model_version
    return FaceEngines(wanted, MappingProxyType(known))


def calibrations(engines: FaceEngines) -> dict[str, FaceCalibration]:
    """The calibrations that the operator's cards bring, by model version."""
    return {one.model_version: one.calibration for one in engines.known.values() if one.calibration is not None}


def _dlib(detection_side: int) -> KnownEngine:
    check_installed()
    return KnownEngine(DLIB_ENGINE, model_version(), DIMENSION, partial(_load_dlib, detection_side))


def _onnx(settings: FaceSettings, models: Path) -> KnownEngine:
    build = partial(_load_onnx, settings.max_detection_side, settings.providers, models)
    return KnownEngine(ONNX_ENGINE, onnx_model_version(mirrored=True), DIMENSION, build)


def _carded(path: Path, settings: FaceSettings, models: Path) -> KnownEngine:
    card = cards.read_card(path)
    version = cards.model_version(card)
    build = partial(_load_card, card, settings.max_detection_side, settings.providers, models)
    return KnownEngine(path.stem, version, card.dimension, build, _calibration(card, version))


def _calibration(card: ModelCard, version: str) -> FaceCalibration | None:
    """The card's calibration, unless it cannot be read or was fitted on something else: then its faces say nothing."""
    if card.calibration is None:
        return None
    try:
        found = read_calibration(card.calibration)
    except (ValueError, OSError) as error:
        log.warning("face_calibration_unusable", model=version, remedy=str(error))
        return None
    if found.model_version != version:
        log.warning("face_calibration_of_another_model", model=version, remedy="fit it on this model version")
        return None
    return found


@cache
def _load_dlib(detection_side: int) -> FaceEngine:
    return DlibFaceEngine(detection_side)


@cache
def _load_onnx(detection_side: int, providers: tuple[str, ...], models: Path) -> FaceEngine:
    return OnnxFaceEngine(detection_side, providers=providers, cache=models)


@cache
def _load_card(card: ModelCard, detection_side: int, providers: tuple[str, ...], models: Path) -> FaceEngine:
    embedder = CardEmbedder(card, providers=providers, cache=models)
    return OnnxFaceEngine(detection_side, providers=providers, cache=models, embedder=embedder)
