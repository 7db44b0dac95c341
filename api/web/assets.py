"""Static files (静态文件): our own and htmx from its package, in memory, under addresses that name their content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tracing.platform import errors

FOLDER = Path(__file__).parent / "static"
HTMX = "vendor/htmx.js"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
router = APIRouter()


@dataclass(frozen=True, slots=True)
class Asset:
    """One file; `digest` begins its SHA-256."""

    content: bytes
    media_type: str
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file by the name that templates use."""
    files = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*") if path.suffix in _TYPES}
    files[HTMX] = _htmx()
    return MappingProxyType({name: _asset(path) for name, path in files.items()})


def _htmx() -> Path:
    # Found without being imported: the package's own code wants Django, its script wants nothing.
    spec = find_spec("django_htmx")
    if spec is None or not spec.submodule_search_locations:
        raise errors.Unavailable()
    return Path(spec.submodule_search_locations[0]) / "static" / "django_htmx" / "htmx-2.min.js"


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(content, _TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:12])


def address(name: str) -> str:
    """The address of a file in its present content. Raises KeyError."""
    return f"/static/{name}?v={assets()[name].digest}"


@router.get("/static/{name:path}", include_in_schema=False)
def serve(request: Request, name: str) -> Response:
    """The file; kept by browsers for as long as they like when the address names its content."""
    asset = assets().get(name)
    if asset is None:
        raise errors.NotFound()
    current = request.query_params.get("v") == asset.digest
    caching = "public, max-age=31536000, immutable" if current else "no-cache"
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": caching})
