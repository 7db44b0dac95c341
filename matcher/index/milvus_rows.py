"""Faces as rows of a Milvus collection, and its schema."""

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from matcher.index.base import IndexEntry, IndexLost
from matcher.index.milvus_connection import DataType, MilvusClient, close_client, open_client, reaching, refused
from matcher.index.milvus_plan import MilvusPlan
from matcher.vocabulary import GalleryKind

FACE, SUBJECT, KIND, EMBEDDING = "face_id", "subject_id", "kind", "embedding"
EVERYTHING = [FACE, SUBJECT, KIND, EMBEDDING]
PLACE, POSITIONS, UNUSED = "place", "positions", "unused"
ID_LENGTH = 36
KIND_LENGTH = 16
POSITIONS_LENGTH = 4096
NAME_LENGTH = 100  # of the readable part; Milvus takes 255 characters in all

T = TypeVar("T")


def collection_name(prefix: str, model_version: str) -> str:
    """Letters, digits and underscores, as Milvus wants them; the digest keeps two versions apart that read alike."""
    readable = re.sub(r"[^A-Za-z0-9]+", "_", f"{prefix}_{model_version}")[:NAME_LENGTH]
    return f"{readable}_{hashlib.sha256(model_version.encode()).hexdigest()[:12]}"


def positions_name(faces: str) -> str:
    """The collection that keeps the watermark of a collection of faces."""
    return f"{faces}_at"


def as_row(entry: IndexEntry) -> dict[str, Any]:
    """The row of a face, its embedding rounded to halves."""
    return {
        FACE: str(entry.face_id),
        SUBJECT: str(entry.subject_id),
        KIND: entry.kind.value,
        EMBEDDING: entry.embedding.astype(np.float16).astype(np.float32).tolist(),
    }


def as_entry(row: Mapping[str, Any]) -> IndexEntry:
    """The face of a row with every field."""
    return IndexEntry(
        uuid.UUID(row[FACE]), uuid.UUID(row[SUBJECT]), GalleryKind(row[KIND]), np.asarray(row[EMBEDDING], np.float32)
    )


def among(ids: Iterable[uuid.UUID]) -> str:
    """The filter for these face ids."""
    return f"{FACE} in {[str(face_id) for face_id in ids]}".replace("'", '"')


def of_kind(kind: GalleryKind) -> str:
    """The filter for a kind. Not by partition: Milvus Lite counts every partition whichever is named."""
    return f'{KIND} == "{kind.value}"'


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in runs of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def expect_faces(client: MilvusClient, name: str, *, unless: bool) -> None:
    """Raise IndexLost when the collection of faces is not there, `unless` it may be made."""
    if not unless and not client.has_collection(name):
        raise IndexLost("Milvus has no collection of this model version")


def make_faces(client: MilvusClient, name: str, dimension: int, plan: MilvusPlan) -> None:
    """The collection of faces, its partitions and its index; what is there already stays. Another process may be at it
    at the same moment. Raises ValueError when it is there with another dimension or another plan.
    """
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(FACE, DataType.VARCHAR, is_primary=True, max_length=ID_LENGTH)
    schema.add_field(SUBJECT, DataType.VARCHAR, max_length=ID_LENGTH)
    schema.add_field(KIND, DataType.VARCHAR, max_length=KIND_LENGTH)
    schema.add_field(EMBEDDING, DataType.FLOAT_VECTOR, dim=dimension)
    _make(client, name, schema)
    fields = {field["name"]: field for field in client.describe_collection(name)["fields"]}
    found = int(fields[EMBEDDING]["params"]["dim"])
    if found != dimension:
        raise ValueError(f"the collection holds embeddings of {found} values, not of {dimension}")
    for kind in GalleryKind:
        if not client.has_partition(name, kind.value):
            with refused():
                client.create_partition(name, kind.value)
    order = _make_index(client, name, EMBEDDING, plan.order.value, plan.build)
    if order != plan.order.value:
        raise ValueError(f"the collection is in the order {order}, not {plan.order.value}: drop it and build it anew")
    client.load_collection(name)


def make_positions(client: MilvusClient, name: str) -> None:
    """The collection that keeps the watermark: one row. Milvus wants a vector in every collection, so it has one."""
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(PLACE, DataType.VARCHAR, is_primary=True, max_length=KIND_LENGTH)
    schema.add_field(POSITIONS, DataType.VARCHAR, max_length=POSITIONS_LENGTH)
    schema.add_field(UNUSED, DataType.FLOAT_VECTOR, dim=2)
    _make(client, name, schema)
    _make_index(client, name, UNUSED, "FLAT", {})
    client.load_collection(name)


def drop_collections(location: str, model_version: str, token: str, prefix: str, timeout_seconds: float) -> None:
    """Delete the faces and the watermark of a model version, if they are there. Raises as `open_client` does."""
    client = open_client(location, token, timeout_seconds)
    try:
        name = collection_name(prefix, model_version)
        with reaching("dropping the collection"):
            for one in (positions_name(name), name):
                if client.has_collection(one, timeout=timeout_seconds):
                    client.drop_collection(one, timeout=timeout_seconds)
    finally:
        close_client(client, location)


def _make(client: MilvusClient, name: str, schema: Any) -> None:
    if not client.has_collection(name):
        with refused():
            client.create_collection(name, schema=schema, consistency_level="Strong")


def _make_index(client: MilvusClient, name: str, field: str, order: str, build: Mapping[str, int]) -> str:
    if field not in client.list_indexes(name):
        parameters = client.prepare_index_params()
        parameters.add_index(field, index_type=order, index_name=field, metric_type="IP", params=dict(build))
        with refused():
            client.create_index(name, parameters)
    return str(client.describe_index(name, field)["index_type"])
