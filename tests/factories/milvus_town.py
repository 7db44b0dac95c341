"""A town whose index can move into Milvus: a file of Milvus Lite, or the server that GUITU_TEST_MILVUS_URL names."""

import os
import uuid

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from matcher.index.base import IndexLost
from matcher.index.distributed import drop_distributed, open_distributed
from models.audit import AuditEvent
from models.index_place import IndexPlace, SharedIndex
from tests.factories.gallery import VERSION
from tests.factories.gallery_town import DIMENSION, QUICK, Onlooker, Town
from tracing.gallery_move import to_local, to_milvus
from tracing.gallery_shared import SharedReplica
from tracing.gallery_verify import Verification, verify_shared
from tracing.platform.db import read_only
from tracing.platform.settings import IndexSettings
from tracing.services import Services

SERVER = os.environ.get("GUITU_TEST_MILVUS_URL", "")
TOKEN = os.environ.get("GUITU_TEST_MILVUS_TOKEN", "")
MILVUS_PLACES = [
    "lite",
    pytest.param(
        "server",
        marks=[pytest.mark.milvus, pytest.mark.skipif(not SERVER, reason="no Milvus server: run `make test-milvus`")],
    ),
]
FACES = 12


def settings_in(location: str) -> IndexSettings:
    return QUICK.model_copy(
        update={
            "milvus_url": location, "milvus_token": SecretStr(TOKEN), "milvus_prefix": f"test_{uuid.uuid4().hex}",
            "wait_seconds": 5,
        }
    )  # fmt: skip


def emptied(town: Town) -> None:
    settings = town.services.settings.index
    drop_distributed(str(settings.milvus_url), VERSION, token=TOKEN, prefix=settings.milvus_prefix)


def moved(town: Town, services: Services | None = None) -> list[str]:
    onlooker = Onlooker()
    to_milvus(services or town.services, onlooker.watcher, 5)
    return onlooker.said


def moved_back(town: Town) -> list[str]:
    onlooker = Onlooker()
    to_local(town.services, onlooker.watcher, 5)
    return onlooker.said


def shared(town: Town, services: Services | None = None) -> SharedReplica:
    found = (services or town.services).gallery.shared_known(VERSION)
    assert found is not None
    return found


def row_of(town: Town) -> SharedIndex | None:
    return shared(town).row()


def place(town: Town) -> IndexPlace:
    with read_only(town.services.db) as session:
        return session.scalars(select(IndexPlace)).one()


def kept_there(town: Town) -> frozenset[uuid.UUID]:
    """What Milvus itself holds, asked past everything of ours."""
    settings = town.services.settings.index
    try:
        index = open_distributed(
            str(settings.milvus_url), VERSION, DIMENSION, token=TOKEN, prefix=settings.milvus_prefix, make=False
        )
    except IndexLost:
        return frozenset()
    try:
        return index.ids()
    finally:
        index.close()


def differences(town: Town) -> Verification:
    return verify_shared(town.services.db, town.services.vault, shared(town)).counted


def sample(town: Town, name: str, **labels: str) -> float:
    found = town.services.gallery.metrics.registry.get_sample_value(name, labels)
    assert found is not None
    return found


def erased(town: Town) -> list[str | None]:
    with read_only(town.services.db) as session:
        query = select(AuditEvent.object_id).where(AuditEvent.action == "photo.erased_from_index")
        return list(session.scalars(query))
