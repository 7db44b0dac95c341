"""What is built of a weight file, kept in a folder so that the next process need not build it again."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

BUILDER_VERSION = 2
"""Raised with every change of what is built, so that nothing older is taken from a folder."""

Built = bytes | Path
"""Something built: itself, or the file that it is in."""


def kept(directory: Path | None, weights: Path, build: Callable[[bytes], bytes], part: str = "") -> Built:
    """What `build` makes of the file `weights`: as kept in `directory`, or built and kept there (0600, folder 0700).

    The name says the SHA-256 of the weights, the builder's version and the SHA-256 of the contents: a cut or altered
    file is built again. `part` tells apart what is built of one file. Without a directory, or when it cannot be
    written, nothing is kept. Raises what `build` raises.
    """
    if directory is None:
        return build(weights.read_bytes())
    # A file is hashed piece by piece: it is too large to be held for its name alone.
    prefix = f"{weights.stem}-{part}{part and '-'}{_digest(weights)}-{BUILDER_VERSION}-"
    for path in directory.glob(f"{prefix}*"):
        try:
            if path.name == f"{prefix}{_digest(path)}":
                return path
        except OSError:
            continue
    built = build(weights.read_bytes())
    path = directory / f"{prefix}{hashlib.sha256(built).hexdigest()[:16]}"
    try:
        _keep(path, built)
    except OSError:
        return built
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def _keep(path: Path, content: bytes) -> None:
    """Written beside and moved into place, so that another process never sees half of it. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".building-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
