"""What the index's drill and soak share: a throw-away installation whose faces are drawn at random."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tests.factories.gallery import VERSION, unit
from tracing.platform.settings import IndexSettings, Settings
from tracing.services import FaceEngines, Services, build_services

DIMENSION = 128


@contextmanager
def services_for(settings: Settings, index: IndexSettings) -> Iterator[Services]:
    """Services of one process, with a face model that nobody has, so that only synthetic faces are searched."""
    built = build_services(settings.model_copy(update={"index": index}))
    services = replace(built, faces=FaceEngines(VERSION, MappingProxyType({})))
    try:
        yield services
    finally:
        services.db.dispose()


def embedding(number: int) -> NDArray[np.float32]:
    """The unit vector of this number, (128,): any two differ."""
    return unit(np.random.default_rng(number).standard_normal(DIMENSION).astype(np.float32))
