"""Where the face models' weights are, and a way to load face_recognition without reading more than it needs.

`face_recognition_models` is a folder of weights whose own code imports `pkg_resources`, which setuptools no longer
ships, so its code is never run: the folder is found, and a stand-in module answers for it. The stand-in gives the
5-point landmark file for both landmark questions, so the 68-point file, trained on data that is licensed for
non-commercial use only, is never opened.
"""

import hashlib
import sys
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

PACKAGE = "face_recognition_models"
LANDMARKS_FILE = "shape_predictor_5_face_landmarks.dat"
EMBEDDING_FILE = "dlib_face_recognition_resnet_model_v1.dat"
CNN_DETECTOR_FILE = "mmod_human_face_detector.dat"

# The files that shape an embedding. face_recognition also loads the CNN detector, which gives no result in its engine.
VERSIONED_FILES = (LANDMARKS_FILE, EMBEDDING_FILE)
ONNX_VERSIONED_FILES = (*VERSIONED_FILES, CNN_DETECTOR_FILE)


class FaceEngineUnavailable(Exception):
    """The face engine's packages or weights are not installed. The message says what to do about it."""


def weights_directory() -> Path:
    """The folder of the installed weight files, found without importing their package.

    Raises FaceEngineUnavailable when the package or one of its files is missing.
    """
    try:
        spec = find_spec(PACKAGE)
    except ValueError:  # the stand-in is registered already, and carries no spec
        spec = None
    locations = list(spec.submodule_search_locations or []) if spec else []
    registered = getattr(sys.modules.get(PACKAGE), "__path__", [])
    for location in [*locations, *registered]:
        directory = Path(location) / "models"
        if all((directory / file).is_file() for file in (*VERSIONED_FILES, CNN_DETECTOR_FILE)):
            return directory
    raise FaceEngineUnavailable(
        f"The weight files of {PACKAGE} are not installed. Install the requirements (pip install -r requirements.txt);"
        " everything but face search works without them."
    )


def check_installed() -> None:
    """Raise FaceEngineUnavailable unless everything that finding faces needs is installed; imports nothing."""
    weights_directory()
    for package in ("face_recognition", "dlib"):
        if package not in sys.modules and find_spec(package) is None:
            raise FaceEngineUnavailable(
                f"Face search needs {package}. Install the requirements (pip install -r requirements.txt, or the extra"
                " “faces” where dlib compiles); everything but face search works without it."
            )


@lru_cache(maxsize=1)
def model_version() -> str:
    """Version of the embedding space, such as "dlib-resnet-v1-l2-0123456789ab".

    It ends in the first 12 hex digits of a SHA-256 over the SHA-256 of each file that shapes an embedding, so any
    other weights make another version. Read once a process (31 MB). Raises FaceEngineUnavailable.
    """
    return f"dlib-resnet-v1-l2-{_digest(VERSIONED_FILES)}"


@lru_cache(maxsize=2)
def onnx_model_version(*, mirrored: bool) -> str:
    """Version of the embedding space of `OnnxFaceEngine`, such as "dlib-resnet-v1-cnn-mirror-l2-0123456789ab".

    The same network as `model_version`, but the CNN detector's boxes, and with `mirrored` the mean of two views.
    """
    views = "mirror-" if mirrored else ""
    return f"dlib-resnet-v1-cnn-{views}l2-{_digest(ONNX_VERSIONED_FILES)}"


@lru_cache(maxsize=1)
def detector_version() -> str:
    """Version of the CNN detector and the landmarks, such as "cnn-0123456789ab".

    It is the last part of the model version of every embedder but dlib's own. Raises FaceEngineUnavailable.
    """
    return f"cnn-{_digest((CNN_DETECTOR_FILE, LANDMARKS_FILE))}"


def _digest(files: tuple[str, ...]) -> str:
    directory = weights_directory()
    digest = hashlib.sha256()
    for file in files:
        with (directory / file).open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:12]


def register_stand_in() -> None:
    """Put the stand-in for `face_recognition_models` where `import face_recognition` will find it.

    Does nothing the second time. Raises FaceEngineUnavailable.
    """
    if PACKAGE in sys.modules:
        return
    directory = weights_directory()
    sys.modules[PACKAGE] = _stand_in(directory)


def load_face_recognition() -> ModuleType:
    """The `face_recognition` module, loaded over the stand-in. Raises FaceEngineUnavailable when it is missing."""
    register_stand_in()
    try:
        return import_module("face_recognition")
    except ImportError as error:
        raise FaceEngineUnavailable(
            f"Face search needs face_recognition and dlib ({error}). Install the requirements"
            " (pip install -r requirements.txt); everything but face search works without them."
        ) from error


def _stand_in(directory: Path) -> ModuleType:
    module = ModuleType(PACKAGE, "Paths of the weight files; stands in for the package's own code.")
    module.__path__ = [str(directory.parent)]
    answers = {
        "pose_predictor_model_location": LANDMARKS_FILE,
        "pose_predictor_five_point_model_location": LANDMARKS_FILE,
        "face_recognition_model_location": EMBEDDING_FILE,
        "cnn_face_detector_model_location": CNN_DETECTOR_FILE,
    }
    for function, file in answers.items():
        setattr(module, function, partial(str, directory / file))
    return module
