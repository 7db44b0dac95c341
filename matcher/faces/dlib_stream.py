"""dlib's own serialization: the primitive fields that its weight files are made of, each checked.

Layout (dlib 20.0.1, `serialize.h`, `tensor_tools.cpp`, `float_details.h`): an integer is a control byte (low 4 bits:
number of bytes, 0x80: negative) and its magnitude, little-endian; a floating-point number is two integers, mantissa
and exponent of two; a string is its length and its bytes; a tensor is the integer 2, four sizes and raw float32.

A count is compared with the bytes that are left before anything is reserved for it, so a file that announces endless
contents costs no memory and no time.
"""

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

NEGATIVE = 0x80
SIZE_MASK = 0x0F
MAX_INTEGER_BYTES = 8

_LARGEST = float(np.finfo(np.float32).max)

# Exponents from 32000 on stand for what a mantissa cannot say (`float_details.h`).
_SPECIAL_EXPONENTS = {32000: math.inf, 32001: -math.inf, 32002: math.nan}


class WeightsDamaged(ValueError):
    """A weight file does not hold what it must. `offset` is in bytes, `expected` what should have been there."""

    def __init__(self, offset: int, expected: str) -> None:
        super().__init__(f"damaged weight file: at byte {offset} expected {expected}")
        self.offset = offset
        self.expected = expected


class DlibStream:
    """A cursor over the bytes of one file. Every method raises WeightsDamaged and then stays where the field began."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.offset = 0

    @property
    def remaining(self) -> int:
        """Bytes that are still to be read."""
        return len(self._data) - self.offset

    def integer(self, what: str) -> int:
        """One integer of at most 8 bytes."""
        data, start = self._data, self.offset
        if start >= len(data):
            raise WeightsDamaged(start, f"{what} (an integer), found the end of the file")
        control = data[start]
        size = control & SIZE_MASK
        if control & ~(SIZE_MASK | NEGATIVE) or not 1 <= size <= MAX_INTEGER_BYTES:
            raise WeightsDamaged(start, f"{what} (the control byte of an integer), found {control:#04x}")
        end = start + 1 + size
        if end > len(data):
            raise WeightsDamaged(start, f"{what} (an integer of {size} bytes), found the end of the file")
        magnitude = int.from_bytes(data[start + 1 : end], "little")
        self.offset = end
        return -magnitude if control & NEGATIVE else magnitude

    def count(self, what: str, least: int = 0, most: int | None = None) -> int:
        """An integer from `least` to `most`; without `most`, to the bytes left (no item takes less than one)."""
        start = self.offset
        value = self.integer(what)
        bound = self.remaining if most is None else most
        if not least <= value <= bound:
            self.offset = start
            raise WeightsDamaged(start, f"{what} from {least} to {bound}, found {value}")
        return value

    def exactly(self, value: int, what: str) -> None:
        """The integer `value` and no other."""
        self.count(f"{what} {value}", value, value)

    def boolean(self, what: str) -> bool:
        """An ASCII 0 or 1."""
        found = self._data[self.offset : self.offset + 1]
        if found not in {b"0", b"1"}:
            raise WeightsDamaged(self.offset, f"{what} (0 or 1), found {found!r}")
        self.offset += 1
        return found == b"1"

    def real(self, what: str) -> float:
        """A floating-point number that is finite as a float32."""
        start = self.offset
        mantissa = self.integer(f"the mantissa of {what}")
        exponent = self.integer(f"the exponent of {what}")
        value = _SPECIAL_EXPONENTS.get(exponent)
        if value is None:
            try:
                value = math.ldexp(float(mantissa), max(-10_000, min(10_000, exponent)))
            except OverflowError:
                value = math.inf
        if not abs(value) <= _LARGEST:
            self.offset = start
            raise WeightsDamaged(start, f"{what}, a finite number")
        return value

    def name(self, accepted: Collection[str]) -> str:
        """A string that is one of `accepted`."""
        start = self.offset
        wanted = " or ".join(sorted(accepted))
        length = self.count(f"the length of the name {wanted}")
        found = self._data[self.offset : self.offset + length]
        for candidate in accepted:
            if found == candidate.encode("ascii"):
                self.offset += length
                return candidate
        self.offset = start
        raise WeightsDamaged(start, f"the name {wanted}, found {found[:40]!r}")

    def sizes(self, what: str) -> tuple[int, int, int, int]:
        """Four sizes (samples, channels, rows, columns), each 0 or more."""
        n, k, rows, columns = (self.count(f"{part} of {what}", 0, 2**31 - 1) for part in ("n", "k", "nr", "nc"))
        return n, k, rows, columns

    def tensor(self, what: str, size: int | None = None) -> Floats:
        """Finite float32 values, flat, in the file's order; `size` of them, or as many as the file says when None."""
        self.exactly(2, f"the version of {what}")
        start = self.offset
        n, k, rows, columns = self.sizes(what)
        found = n * k * rows * columns
        if size is not None and found != size:
            raise WeightsDamaged(start, f"{what} of {size} values, found {found}")
        if found * 4 > self.remaining:
            raise WeightsDamaged(start, f"{what} of at most {self.remaining} bytes, found {found * 4}")
        values = np.frombuffer(self._data, dtype="<f4", count=found, offset=self.offset).astype(np.float32)
        if not np.isfinite(values).all():
            raise WeightsDamaged(self.offset, f"finite values of {what}")
        self.offset += found * 4
        return values

    def alias(self, what: str, expected: tuple[int, int, int, int]) -> None:
        """The shape that a part of a parameter tensor must have."""
        self.exactly(1, f"the version of {what}")
        start = self.offset
        found = self.sizes(what)
        if found != expected:
            self.offset = start
            raise WeightsDamaged(start, f"{what} of shape {expected}, found {found}")

    def end(self) -> None:
        """Nothing more."""
        if self.remaining:
            raise WeightsDamaged(self.offset, f"the end of the file, found {self.remaining} more bytes")
