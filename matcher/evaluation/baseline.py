"""The yardstick: `face_recognition` as its own examples use it."""

from threading import Lock

import numpy as np
from PIL import ImageFile

from matcher.evaluation.templates import Metric, Template
from matcher.faces.engine import Box, DetectedFace, choose
from matcher.faces.intake import Pixels
from matcher.faces.quality import FaceQuality
from matcher.faces.weights import load_face_recognition, model_version


class FaceRecognitionDefault:
    """`face_locations` (gradients, one upsampling) and `face_encodings` (one view), compared by Euclidean distance.

    Of several faces the most prominent is taken, as with every engine here.
    """

    metric = Metric.EUCLIDEAN

    def __init__(self) -> None:
        """Load the models. Raises FaceEngineUnavailable when they are not installed."""
        self._library = load_face_recognition()
        # Importing face_recognition turns on the filling-in of truncated images for the whole process.
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        self._version = model_version()
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The weights and the manner of use."""
        return f"face_recognition-default-{self._version}"

    def template(self, pixels: Pixels) -> Template | None:
        """See `TemplateSource`; the vector is dlib's own, not brought to length 1."""
        with self._lock:
            boxes = [Box(*box) for box in self._library.face_locations(pixels)]
            if not boxes:
                return None
            vectors = self._library.face_encodings(pixels, boxes)
        faces = [
            DetectedFace(box, (), FaceQuality(0, {}, ()), np.asarray(vector, np.float32), None)
            for box, vector in zip(boxes, vectors, strict=True)
        ]
        return Template(faces[choose(faces, pixels.shape[1], pixels.shape[0])].embedding)
