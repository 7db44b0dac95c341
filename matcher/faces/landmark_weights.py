"""The landmark file: cascades of regression trees (Kazemi and Sullivan, CVPR 2014) as dlib's predictor stores them.

All of the file is integers (a floating-point number is two), 3 million of them, so it is cut into integers at once, and
what they mean is checked on the list of them.
"""

from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matcher.faces.dlib_stream import MAX_INTEGER_BYTES, NEGATIVE, SIZE_MASK, Floats, WeightsDamaged

POINTS = 5
_VALUES = 2 * POINTS
_LARGEST_EXPONENT = 128


@dataclass(frozen=True, slots=True, eq=False)
class Cascade:
    """One round of correction: the pixels it looks at and its trees, each complete.

    Attributes:
        anchors: (pixels,), the landmark that each pixel is near.
        deltas: (pixels, 2), x and y of the pixel seen from its landmark, in units of the box.
        first, second: (trees, splits), numbers of the two pixels that a split compares.
        thresholds: (trees, splits); a difference above it goes left (2 i + 1), else right (2 i + 2).
        leaves: (trees, splits + 1, 10), what the shape is corrected by.
    """

    anchors: NDArray[np.int64]
    deltas: Floats
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    thresholds: Floats
    leaves: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkWeights:
    """The mean shape (10,), x and y of each point in units of the box, and the cascades that correct it."""

    initial: Floats
    cascades: tuple[Cascade, ...]


def read_landmarks(data: bytes) -> LandmarkWeights:
    """The contents of `shape_predictor_5_face_landmarks.dat`. Raises WeightsDamaged."""
    cursor = _Integers(data)
    cursor.exactly(1, "the version of the predictor")
    initial = cursor.matrix("the mean shape")
    rounds = cursor.count("cascades", 1)
    forests = [_forest(cursor) for _ in range(rounds)]
    cursor.exactly(rounds, "the number of anchor lists")
    anchors = [_anchors(cursor) for _ in range(rounds)]
    cursor.exactly(rounds, "the number of offset lists")
    cascades = []
    for (splits, thresholds, leaves), near in zip(forests, anchors, strict=True):
        start = cursor.offset
        cursor.exactly(len(near), "offsets, as many as anchors,")
        deltas = cursor.reals(2 * len(near), "the offsets").reshape(-1, 2)
        if splits.min() < 0 or splits.max() >= len(near):
            raise WeightsDamaged(start, f"splits that compare pixels from 0 to {len(near) - 1}")
        cascades.append(Cascade(near, deltas, splits[..., 0], splits[..., 1], thresholds, leaves))
    cursor.end()
    return LandmarkWeights(initial, tuple(cascades))


def pack_landmarks(weights: LandmarkWeights) -> bytes:
    """The weights as NPZ, which is read in a hundredth of the time."""
    arrays: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {"initial": weights.initial}
    for number, cascade in enumerate(weights.cascades):
        for field in fields(cascade):
            arrays[f"{field.name}-{number}"] = getattr(cascade, field.name)
    target = BytesIO()
    np.savez(target, allow_pickle=False, **arrays)
    return target.getvalue()


def unpack_landmarks(packed: bytes | Path) -> LandmarkWeights:
    """What `pack_landmarks` was given, from its bytes or their file. Raises KeyError or ValueError on others."""
    with np.load(BytesIO(packed) if isinstance(packed, bytes) else packed, allow_pickle=False) as arrays:
        rounds = sum(name.startswith("anchors-") for name in arrays.files)
        names = [field.name for field in fields(Cascade)]
        cascades = tuple(Cascade(*(arrays[f"{name}-{number}"] for name in names)) for number in range(rounds))
        return LandmarkWeights(arrays["initial"], cascades)


def _forest(cursor: "_Integers") -> tuple[NDArray[np.int64], Floats, Floats]:
    """Splits (trees, splits, 2), thresholds (trees, splits) and leaves (trees, splits + 1, 10) of one cascade."""
    trees = cursor.count("trees", 1)
    splits, thresholds, leaves = [], [], []
    size = 0
    for _ in range(trees):
        start = cursor.offset
        found = cursor.count("splits", 1)
        size = size or found
        if found != size or size & (size + 1):
            raise WeightsDamaged(start, "complete trees of one size")
        columns = cursor.take(4 * size, "the splits").reshape(size, 4)
        splits.append(columns[:, :2])
        thresholds.append(cursor.compose(columns[:, 2], columns[:, 3], "the thresholds"))
        cursor.exactly(size + 1, "the number of leaves")
        # A leaf is its two sizes and its values, each two integers.
        rows = cursor.take((size + 1) * (2 + 2 * _VALUES), "the leaves").reshape(size + 1, -1)
        if (np.abs(rows[:, 0]) != _VALUES).any() or (np.abs(rows[:, 1]) != 1).any():
            raise WeightsDamaged(start, f"leaves of {_VALUES} values")
        leaves.append(cursor.compose(rows[:, 2::2], rows[:, 3::2], "the leaves"))
    return np.stack(splits), np.stack(thresholds), np.stack(leaves)


def _anchors(cursor: "_Integers") -> NDArray[np.int64]:
    start = cursor.offset
    found = cursor.take(cursor.count("anchors", 1), "the anchors")
    if found.min() < 0 or found.max() >= POINTS:
        raise WeightsDamaged(start, f"anchors from 0 to {POINTS - 1}")
    return found


class _Integers:
    """A cursor over a file that is nothing but integers."""

    def __init__(self, data: bytes) -> None:
        self._starts = _starts(data)
        self._values = _decode(data, self._starts)
        self._length = len(data)
        self._next = 0

    @property
    def offset(self) -> int:
        """Where in the file the next integer begins."""
        return int(self._starts[self._next]) if self._next < len(self._starts) else self._length

    def take(self, number: int, what: str) -> NDArray[np.int64]:
        """The next integers, (number,)."""
        left = len(self._values) - self._next
        if number > left:
            raise WeightsDamaged(self.offset, f"{what}: {number} integers, found {left}")
        taken = self._values[self._next : self._next + number]
        self._next += number
        return taken

    def count(self, what: str, least: int) -> int:
        """One integer, from `least` to the number of integers left."""
        start = self.offset
        value = int(self.take(1, f"the number of {what}")[0])
        left = len(self._values) - self._next
        if not least <= value <= left:
            raise WeightsDamaged(start, f"a number of {what} from {least} to {left}, found {value}")
        return value

    def exactly(self, value: int, what: str) -> None:
        """The integer `value` and no other."""
        start = self.offset
        found = int(self.take(1, what)[0])
        if found != value:
            raise WeightsDamaged(start, f"{what} {value}, found {found}")

    def reals(self, number: int, what: str) -> Floats:
        """Finite numbers, (number,)."""
        pairs = self.take(2 * number, what).reshape(number, 2)
        return self.compose(pairs[:, 0], pairs[:, 1], what)

    def matrix(self, what: str) -> Floats:
        """A column of 10 numbers. dlib writes the sizes of a matrix negative."""
        start = self.offset
        rows, columns = self.take(2, what)
        if abs(rows) != _VALUES or abs(columns) != 1:
            raise WeightsDamaged(start, f"{what} of {_VALUES} values")
        return self.reals(_VALUES, what)

    def compose(self, mantissa: NDArray[np.int64], exponent: NDArray[np.int64], what: str) -> Floats:
        """mantissa x 2 ^ exponent."""
        if (exponent > _LARGEST_EXPONENT).any():
            raise WeightsDamaged(self.offset, f"finite numbers before, in {what}")
        # Below -2000 any mantissa of 8 bytes is 0 in float64; numpy's ldexp wants a C int.
        with np.errstate(over="ignore"):
            values = np.ldexp(mantissa.astype(np.float64), np.maximum(exponent, -2000).astype(np.int32))
            values = values.astype(np.float32)
        if not np.isfinite(values).all():
            raise WeightsDamaged(self.offset, f"finite numbers before, in {what}")
        return values

    def end(self) -> None:
        """Nothing more."""
        if self._next < len(self._starts):
            raise WeightsDamaged(self.offset, f"the end of the file, found {len(self._starts) - self._next} integers")


def _starts(data: bytes) -> NDArray[np.int64]:
    """Where each integer begins. Every step goes on by two bytes at least, so this ends."""
    starts, position, length = [], 0, len(data)
    while position < length:
        starts.append(position)
        size = data[position] & SIZE_MASK
        if not 1 <= size <= MAX_INTEGER_BYTES or data[position] & ~(SIZE_MASK | NEGATIVE):
            raise WeightsDamaged(position, f"the control byte of an integer, found {data[position]:#04x}")
        position += 1 + size
    if position > length:
        raise WeightsDamaged(starts[-1], "an integer, found the end of the file")
    return np.array(starts, np.int64)


def _decode(data: bytes, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The integers that begin there. Raises WeightsDamaged for one that is beyond 63 bits."""
    content = np.frombuffer(data + bytes(MAX_INTEGER_BYTES), np.uint8)
    control = content[starts]
    size = control & SIZE_MASK
    values = np.zeros(len(starts), np.uint64)
    for byte in range(MAX_INTEGER_BYTES):
        held = np.flatnonzero(size > byte)
        values[held] |= content[starts[held] + 1 + byte].astype(np.uint64) << np.uint64(8 * byte)
    large = np.flatnonzero(values > np.iinfo(np.int64).max)
    if len(large):
        raise WeightsDamaged(int(starts[large[0]]), "an integer of at most 63 bits")
    signed = values.astype(np.int64)
    return np.where(control & NEGATIVE, -signed, signed)
