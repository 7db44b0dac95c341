"""Photographs over HTTP: each thing that can be wrong with a file has its own slug; what is good can be looked at."""

import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from models.user import Role
from tests.api.conftest import Bearer, Headers
from tests.api.matrix import CASE
from tests.factories.faces import GREEN, RED, make_photo_bytes
from tests.factories.world import World

JPEG = make_photo_bytes(GREEN, width=200, height=200)


@pytest.fixture
def staff(world: World, bearer: Bearer) -> Headers:
    """A station's worker."""
    return bearer(world.a.users[Role.STATION_STAFF])


@pytest.fixture
def photos(client: TestClient, staff: Headers) -> str:
    """Address of a case's photographs."""
    case = client.post("/api/v1/cases", json=CASE, headers=staff).json()
    return f"/api/v1/cases/{case['id']}/photos"


def _send(client: TestClient, path: str, data: bytes, headers: Headers, **form: str) -> Any:
    return client.post(path, files={"photo": ("photo", data)}, data=form, headers=headers)


def _encoded(kind: str, **options: Any) -> bytes:
    target = BytesIO()
    Image.new("RGB", (200, 160), (90, 120, 200)).save(target, kind, **options)
    return target.getvalue()


def _bomb() -> bytes:
    """A PNG of 30,000 × 30,000 pixels by its header alone."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (header, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def _animation() -> bytes:
    return _encoded("PNG", save_all=True, append_images=[Image.new("RGB", (200, 160), (0, 0, 0))])


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"", "photo_empty"),
        (b"%PDF-1.7 not a photograph", "photo_unknown_format"),
        (JPEG[: len(JPEG) // 2], "photo_truncated"),
        (_bomb(), "photo_too_many_pixels"),
        (make_photo_bytes(GREEN, width=40, height=40), "photo_too_small"),
        (_animation(), "photo_animated"),
        (b"\xff\xd8\xff" + b"\x00" * 20 * 2**20, "photo_too_large"),
    ],
)
def test_a_bad_file_is_refused_with_its_own_reason_and_the_case_is_kept(
    client: TestClient, staff: Headers, photos: str, data: bytes, slug: str
) -> None:
    response = _send(client, photos, data, staff)
    assert (response.status_code, response.json()["slug"]) == (422, slug)
    assert response.json()["errors"][0]["field"] == "photo"
    assert client.get(photos.removesuffix("/photos"), headers=staff).json()["photos"] == []


def test_a_missing_file_is_named(client: TestClient, staff: Headers, photos: str) -> None:
    response = client.post(photos, data={"view": "front"}, headers=staff)
    assert response.status_code == 422
    assert (response.json()["errors"][0]["field"], response.json()["errors"][0]["slug"]) == ("photo", "missing")


def test_an_upload_beyond_all_bounds_is_not_read(client: TestClient, staff: Headers, photos: str) -> None:
    response = _send(client, photos, b"\x00" * (82 * 2**20), staff)
    assert (response.status_code, response.json()["slug"]) == (413, "body_too_large")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_what_phones_make_is_taken_in_and_shown_as_jpeg(
    client: TestClient, staff: Headers, photos: str, kind: str
) -> None:
    response = _send(client, photos, _encoded(kind), staff, view="left")
    assert response.status_code == 201, response.text
    photo = response.json()
    assert (photo["view"], photo["width"], photo["height"], photo["analysis"]) == ("left", 200, 160, "pending")
    assert client.get(response.headers["location"], headers=staff).json() == photo
    for size in ("full", "thumbnail", "face", "aligned"):
        image = client.get(photo["image"], params={"size": size}, headers=staff)
        assert image.headers["content-type"] == "image/jpeg"
        assert image.headers["cache-control"] == "no-store"
        assert Image.open(BytesIO(image.content)).format == "JPEG"


def test_the_same_file_is_the_same_photograph_and_removal_takes_it_away(
    client: TestClient, staff: Headers, photos: str
) -> None:
    first = _send(client, photos, JPEG, staff).json()
    assert _send(client, photos, JPEG, staff).json()["id"] == first["id"]
    assert [one["id"] for one in client.get(photos, headers=staff).json()["items"]] == [first["id"]]
    path = f"/api/v1/photos/{first['id']}"
    assert client.delete(path, headers=staff).status_code == 204
    assert client.get(path, headers=staff).status_code == 404
    assert client.get(photos, headers=staff).json()["items"] == []


def test_a_key_belongs_to_one_file(client: TestClient, staff: Headers, photos: str) -> None:
    keyed = {**staff, "Idempotency-Key": "upload-1"}
    first = _send(client, photos, JPEG, keyed)
    again = _send(client, photos, JPEG, keyed)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["idempotent-replayed"] == "true"
    other = _send(client, photos, make_photo_bytes(RED), keyed)
    assert (other.status_code, other.json()["slug"]) == (422, "idempotency_key_reused")
