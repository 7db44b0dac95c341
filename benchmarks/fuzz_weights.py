"""Fuzzing of the readers of dlib's weight files: damaged files by the hundred thousand.

    python -m benchmarks.fuzz_weights [--seconds 600] [--seed 1] [--corpus tests/matcher/faces/corpus]

Files of every kind of field, as small as they can be, are damaged field by field: cut, counts and sizes rewritten,
control bytes and bits changed, fields left out, repeated, swapped and taken from another file. A file that is refused
in a way not seen before is damaged further. Whatever a reader does with a file, it must

- raise `WeightsDamaged`, with an offset inside the file and what was expected there, or nothing else;
- take less than a second of the processor, and no more memory than the limit of the process;
- give the same values when it reads the file again, and the landmarks from their packed form too.

The smallest file of each way to be refused is kept in the corpus, which the tests replay. With `--guided`, atheris
(where it is installed) looks for files that reach new code, from the corpus on. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import resource
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from functools import partial
from importlib import import_module
from inspect import isclass, isfunction
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import numpy as np

from matcher.faces import dlib_networks, dlib_stream, landmark_weights
from matcher.faces.dlib_networks import read_descriptor, read_detector
from matcher.faces.dlib_stream import WeightsDamaged
from matcher.faces.landmark_weights import LandmarkWeights, pack_landmarks, read_landmarks, unpack_landmarks
from tests.factories.dlib_files import (
    SMALL_DESCRIPTOR,
    SMALL_DETECTOR,
    DlibFile,
    descriptor_file,
    detector_file,
    landmark_file,
)

CORPUS = Path("tests/matcher/faces/corpus")
MOST_FILES, MOST_BYTES = 200, 300_000
SECONDS_A_FILE = 1.0
MEMORY = 256 << 20
LARGEST_FILE = 20_000
ACCEPTED = "accepted"

NUMBERS = (
    *(0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 127, 128, 255, 256, 1000, 32000, 32001, 32002, 65535, 65536),
    *(2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**61, 2**62, 2**63 - 1, 2**63, 2**64 - 1),
)
FLOATS = (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x00\x80\xff", b"\xff\xff\x7f\x7f", b"\x01\x00\x00\x00")


class Chunk(NamedTuple):
    """One field of a file, as `tests.factories.dlib_files` names its kind."""

    kind: str
    content: bytes


class Overrun(BaseException):
    """A reader took too long. No Exception, so that no reader can take it for one of its own."""


Pieces = list[Chunk]
Reader = Callable[[bytes], object]

READERS: dict[str, Reader] = {
    "detector": partial(read_detector, specs=SMALL_DETECTOR),
    "descriptor": partial(read_descriptor, specs=SMALL_DESCRIPTOR),
    "whole_detector": read_detector,
    "whole_descriptor": read_descriptor,
    "landmarks": read_landmarks,
}


def seeds() -> dict[str, list[Pieces]]:
    """Whole small files by reader; of the large ones, their heads."""
    head = 90
    files = {
        "detector": [detector_file(specs=SMALL_DETECTOR), detector_file(specs=SMALL_DETECTOR, batch_norm=True)],
        "descriptor": [
            descriptor_file(specs=SMALL_DESCRIPTOR),
            descriptor_file(specs=SMALL_DESCRIPTOR, batch_norm=True),
        ],
        "whole_detector": [detector_file()],
        "whole_descriptor": [descriptor_file()],
        "landmarks": [landmark_file(1, 1, 1, 1), landmark_file(2, 2, 3, 2)],
    }
    return {
        reader: [pieces(file)[:head] if reader.startswith("whole") else pieces(file) for file in several]
        for reader, several in files.items()
    }


def pieces(file: DlibFile) -> Pieces:
    """A file field by field."""
    starts = [offset for offset, _ in file.fields] + [len(file.data)]
    kinds = [kind for _, kind in file.fields]
    return [
        Chunk(kind, bytes(file.data[start:end])) for kind, start, end in zip(kinds, starts, starts[1:], strict=False)
    ]


def joined(file: Pieces) -> bytes:
    """Its bytes."""
    return b"".join(chunk.content for chunk in file)


def examine(reader: str, data: bytes) -> str:
    """What the reader makes of the bytes: ACCEPTED, or the refusal without its numbers.

    Raises AssertionError when a refusal is not as it must be or values differ, Overrun when it takes too long, and
    whatever else the reader raises.
    """
    signal.setitimer(signal.ITIMER_PROF, SECONDS_A_FILE)
    try:
        read = READERS[reader]
        found = read(data)
        others = [read(data)]
        if isinstance(found, LandmarkWeights):
            others.append(unpack_landmarks(pack_landmarks(found)))
        if not all(same(found, other) for other in others):
            raise AssertionError("read again, the values are others, or some are not finite")
        return ACCEPTED
    except WeightsDamaged as damage:
        if not 0 <= damage.offset <= len(data) or not damage.expected.strip():
            raise AssertionError(f"refused at byte {damage.offset} of {len(data)}: {damage.expected!r}") from damage
        return re.sub(r"b'.*|b\".*|0x\w+|-?\d+(\.\d+)?(e[-+]?\d+)?", "#", damage.expected)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def same(first: object, second: object) -> bool:
    """Whether both hold the same finite values, field by field."""
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        alike = first.dtype == second.dtype and np.array_equal(first, second)
        return bool(alike and np.isfinite(first).all())
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if is_dataclass(first):
        return all(same(getattr(first, field.name), getattr(second, field.name)) for field in fields(first))
    return first == second


class Damage:
    """Ways to damage a file, drawn from a seeded source."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._ways = (self.cut, self.number, self.number, self.control, self.bits, self.values, self.move, self.splice)

    def __call__(self, file: Pieces, other: Pieces) -> Pieces:
        """The file with one to four damages; `other` is where foreign fields come from."""
        damaged = list(file)
        for _ in range(self._random.choice((1, 1, 1, 2, 4))):
            if damaged:
                self._random.choice(self._ways)(damaged, other)
        return damaged

    def _at(self, file: Pieces, *kinds: str) -> int:
        fitting = [place for place, chunk in enumerate(file) if not kinds or chunk.kind in kinds]
        return self._random.choice(fitting) if fitting else self._random.randrange(len(file))

    def cut(self, file: Pieces, _: Pieces) -> None:
        """At a field or inside it."""
        at = self._at(file)
        kind, content = file[at]
        file[at:] = [Chunk(kind, content[: self._random.randrange(len(content) + 1)])]

    def number(self, file: Pieces, _: Pieces) -> None:
        """An integer by another one, or by the same in more bytes than it needs."""
        at = self._at(file, "integer", "version", "size", "length", "mantissa", "exponent")
        kind, content = file[at]
        value = int.from_bytes(content[1:], "little")
        near = (value + 1, abs(value - 1), value * 2, value * 256, value)
        value = self._random.choice(NUMBERS if self._random.random() < 0.7 else near) % 2**64
        size = max(1, (value.bit_length() + 7) // 8, self._random.choice((0, 0, 8)))
        sign = self._random.choice((0, 0, 0x80))
        file[at] = Chunk(kind, bytes([size | sign]) + value.to_bytes(size, "little"))

    def control(self, file: Pieces, _: Pieces) -> None:
        """The first byte of a field by any."""
        at = self._at(file)
        kind, content = file[at]
        file[at] = Chunk(kind, bytes([self._random.randrange(256)]) + content[1:])

    def bits(self, file: Pieces, _: Pieces) -> None:
        """A few bits of a field."""
        at = self._at(file)
        kind, content = file[at]
        changed = bytearray(content)
        for _flip in range(self._random.randint(1, 3)):
            if changed:
                changed[self._random.randrange(len(changed))] ^= 1 << self._random.randrange(8)
        file[at] = Chunk(kind, bytes(changed))

    def values(self, file: Pieces, _: Pieces) -> None:
        """A float32 that is none, or one value more or less."""
        at = self._at(file, "values")
        kind, content = file[at]
        place = self._random.randrange(len(content) // 4 + 1) * 4
        after = place + self._random.choice((0, 4, 4, 4, 8))
        file[at] = Chunk(kind, content[:place] + self._random.choice(FLOATS) + content[after:])

    def move(self, file: Pieces, _: Pieces) -> None:
        """A block of fields left out, repeated (up to a thousand times) or swapped with what follows."""
        start = self._at(file)
        stop = min(len(file), start + self._random.choice((1, 1, 2, 5, 20)))
        block = file[start:stop]
        way = self._random.randrange(4)
        if way == 0:
            del file[start:stop]
        elif way == 1:
            file[stop:stop] = block * self._random.choice((1, 2, 30, 1000))
        elif way == 2:
            file[start : stop + len(block)] = file[stop : stop + len(block)] + block
        else:
            file.append(Chunk("bytes", self._random.randbytes(self._random.randint(1, 40))))

    def splice(self, file: Pieces, other: Pieces) -> None:
        """The rest, or a block, from another file."""
        if other:
            place = self._random.randrange(len(other))
            start = self._at(file)
            stop = len(file) if self._random.random() < 0.3 else start + self._random.randint(0, 10)
            file[start:stop] = other[place : place + (stop - start)]


class Found(NamedTuple):
    """A way that files are refused (or ACCEPTED), and the smallest such file."""

    reader: str
    outcome: str
    data: bytes


def fuzz(seconds: float, seed: int) -> tuple[Counter[tuple[str, str]], list[Found]]:
    """Damages files for that long; the count of each outcome and its smallest file.

    Raises SystemExit, after writing the file to `var/fuzz/`, when a reader does what it must not.
    """
    source = random.Random(seed)
    damage = Damage(source)
    pools = seeds()
    readers = list(pools)
    counts: Counter[tuple[str, str]] = Counter()
    smallest: dict[tuple[str, str], bytes] = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(200):
            reader = source.choice(readers)
            file = damage(source.choice(pools[reader]), source.choice(pools[source.choice(readers)]))
            data = joined(file)[:LARGEST_FILE]
            key = (reader, checked(reader, data))
            counts[key] += 1
            if key not in smallest and len(data) < LARGEST_FILE:
                pools[reader].append(file)
            if key not in smallest or len(data) < len(smallest[key]):
                smallest[key] = data
    return counts, [Found(*key, data) for key, data in smallest.items()]


def checked(reader: str, data: bytes) -> str:
    """`examine`, where what must not happen ends the run."""
    try:
        return examine(reader, data)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        path = Path("var/fuzz") / f"{reader}-{hashlib.sha256(data).hexdigest()[:12]}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        raise SystemExit(f"{path}: {type(error).__name__}: {error}") from error


def reduced(found: Found) -> Found:
    """The same outcome from fewer bytes: ever smaller blocks are left out while it stays."""
    data = found.data
    size = len(data) // 2
    while size:
        start = 0
        while start < len(data):
            shorter = data[:start] + data[start + size :]
            if checked(found.reader, shorter) == found.outcome:
                data = shorter
            else:
                start += size
        size //= 2
    return found._replace(data=data)


def sort_of(found: Found) -> str:
    """What the corpus has one file of: the refusal, whichever network; an end or a control byte at whatever field."""
    place = found.outcome.find(" (")
    reader = "landmarks" if found.reader == "landmarks" else "network"
    return reader + found.outcome[max(0, place) :]


def examine_file(path: Path) -> str:
    """`examine` of a file of the corpus, whose name begins with its reader's."""
    return examine(path.name.split("-")[0], path.read_bytes())


def keep(corpus: Path, results: Sequence[Found]) -> int:
    """Write the smallest files of the outcomes that the corpus does not have yet, within its limits; how many."""
    corpus.mkdir(parents=True, exist_ok=True)
    paths = sorted(corpus.glob("*.bin"))
    known = {sort_of(Found(path.name.split("-")[0], examine_file(path), b"")) for path in paths}
    files, size = len(paths), sum(path.stat().st_size for path in paths)
    written = 0
    for found in sorted(results, key=lambda found: (found.outcome != ACCEPTED, len(found.data))):
        if sort_of(found) in known or files >= MOST_FILES or size + len(found.data) > MOST_BYTES:
            continue
        data = reduced(found).data
        corpus.joinpath(f"{found.reader}-{hashlib.sha256(data).hexdigest()[:12]}.bin").write_bytes(data)
        known.add(sort_of(found))
        files, size, written = files + 1, size + len(data), written + 1
    return written


def guided(seconds: float, seed: int, corpus: Path) -> None:
    """Let atheris look for files that reach new code. Ends the process."""
    atheris = import_module("atheris")
    for module in (dlib_stream, dlib_networks, landmark_weights):
        classes = [each for each in vars(module).values() if isclass(each)]
        for function in (each for owner in (module, *classes) for each in vars(owner).values() if isfunction(each)):
            if function.__module__ == module.__name__ and function.__code__.co_filename == module.__file__:
                atheris.instrument_func(function)
    readers = list(READERS)
    folder = Path("var/fuzz/guided")
    folder.mkdir(parents=True, exist_ok=True)
    starts = [(reader, joined(file)) for reader, several in seeds().items() for file in several]
    starts += [(path.name.split("-")[0], path.read_bytes()) for path in corpus.glob("*.bin")]
    for reader, data in starts:
        folder.joinpath(hashlib.sha256(data).hexdigest()[:16]).write_bytes(bytes([readers.index(reader)]) + data)

    def one(data: bytes) -> None:
        if data:
            checked(readers[data[0] % len(readers)], data[1:])

    limits = [f"-max_total_time={int(seconds)}", f"-seed={seed}", f"-max_len={LARGEST_FILE}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], str(folder), *limits], one)
    atheris.Fuzz()


def overrun(_signal: int, _frame: FrameType | None) -> None:
    """Ends what takes too long."""
    raise Overrun(f"more than {SECONDS_A_FILE} s of the processor")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, print what was found, keep the smallest files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--guided", action="store_true", help="by coverage, with atheris")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGPROF, overrun)
    warnings.simplefilter("error")
    if options.guided:
        guided(options.seconds, options.seed, options.corpus)
        return 0
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    counts, results = fuzz(options.seconds, options.seed)
    for (reader, outcome), number in sorted(counts.items()):
        print(f"{number:>9,}  {reader:<17} {outcome}")
    written = keep(options.corpus, results)
    print(f"{counts.total():,} files, {len(counts)} outcomes; {written} files written to {options.corpus}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    figures = {
        "files": counts.total(),
        "outcomes": len(counts),
        "written": written,
        "peak_megabytes": round(peak / 1e6),
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
