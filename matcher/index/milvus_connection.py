"""Getting at Milvus: the library imported without its side effects, a client, and its errors as ours.

What pymilvus 3.0 does beside its work, and what is done about it here:

- at import it reads a file `.env` of the folders above it (which hold this repository, when `.venv` does) into the
  process's environment: switched off while it is imported;
- at import it gives its logger a handler of its own, which writes every failed call, filters and so face ids included:
  taken away, for the failure is raised;
- on connecting it tells the server the machine's host name, the library's version and the local time: part of the
  protocol, and the server is ours. It sends nothing elsewhere and writes nothing to the home folder.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import grpc

from matcher.index.base import IndexUnreachable

DOTENV_SWITCH = "PYTHON_DOTENV_DISABLED"


@contextmanager
def dotenv_unread() -> Iterator[None]:
    """While it lasts, python-dotenv reads no file."""
    before = os.environ.get(DOTENV_SWITCH)
    os.environ[DOTENV_SWITCH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[DOTENV_SWITCH]
        else:
            os.environ[DOTENV_SWITCH] = before


with dotenv_unread():
    from pymilvus import DataType, MilvusClient
    from pymilvus.exceptions import MilvusException

for name in ("pymilvus", "pymilvus.milvus_client", "pymilvus.bulk_writer"):
    logging.getLogger(name).handlers = [logging.NullHandler()]

__all__ = ["DataType", "MilvusClient", "MilvusException", "close_client", "open_client", "reaching", "refused"]

LITE_SUFFIX = ".db"

# Clients of one file share one engine in this process, which must outlive all of them and be closed by the last.
_lite_users: Counter[str] = Counter()
_lite_lock = Lock()


@contextmanager
def reaching(doing: str) -> Iterator[None]:
    """Failures of Milvus and of the way there become `IndexUnreachable`, which names what was being done, no ids."""
    try:
        yield
    except MilvusException as error:
        # The library's own text may repeat a filter, and so face ids.
        raise IndexUnreachable(f"Milvus failed while {doing} (code {error.code})") from error
    except (grpc.RpcError, OSError) as error:
        raise IndexUnreachable(f"Milvus failed while {doing} ({type(error).__name__})") from error


@contextmanager
def refused() -> Iterator[None]:
    """A refusal that does not matter, because something is there already: the caller looks afterwards."""
    with suppress(MilvusException):
        yield


def open_client(location: str, token: str, timeout_seconds: float) -> MilvusClient:
    """A client of a server (`http://…`, `https://…`) or of a file of Milvus Lite (a path that ends in .db).

    Raises ValueError on another location and on a URL with a password in it, which would end up in messages: give the
    token apart. Raises IndexUnreachable.
    """
    if "://" in location:
        parts = urlsplit(location)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the URL of a Milvus server is http://host:port or https://host:port")
        if parts.username or parts.password:
            raise ValueError("give Milvus's token apart from its URL")
        with reaching("connecting"):
            return MilvusClient(uri=location, token=token, timeout=timeout_seconds)
    path = _lite_path(location)
    with _lite_lock, reaching("opening the file: is it open in another process, or milvus-lite not installed?"):
        # A handler of its own: the library shares one between clients of an address, and a closed file's is dead.
        client = MilvusClient(uri=path, timeout=timeout_seconds, dedicated=True)
        _lite_users[path] += 1
        return client


def close_client(client: MilvusClient, location: str) -> None:
    """Let go of the connection; the last one to a file closes the file."""
    with suppress(MilvusException, grpc.RpcError):
        client.close()
    if "://" in location:
        return
    path = _lite_path(location)
    with _lite_lock:
        _lite_users[path] -= 1
        if _lite_users[path] <= 0:
            del _lite_users[path]
            servers: Any = import_module("milvus_lite.server_manager")
            servers.server_manager_instance.release_server(path)


def _lite_path(location: str) -> str:
    if not location.endswith(LITE_SUFFIX):
        raise ValueError(f"a file of Milvus Lite ends in {LITE_SUFFIX}; the URL of a server begins with http")
    return str(Path(location).absolute())
