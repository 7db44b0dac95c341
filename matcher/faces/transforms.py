"""Transforms between points, in dlib's own order of operations.

A chip's pixel is cut to a whole number, so in an even area the last bit of a coordinate decides between two values: an
equally good answer by another route would be another chip. Hence the singular value decomposition of Golub and Reinsch
(Handbook for Automatic Computation II, 1971) step by step as in dlib's `matrix_la.h`, on lists of float.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

Matrix = list[list[float]]
Point = tuple[float, float]

_EPS = sys.float_info.epsilon
_TOLERANCE = sys.float_info.min / _EPS
_MOST_ROUNDS = 300


@dataclass(frozen=True, slots=True)
class Affine:
    """(x, y) -> (a x + b y + e, c x + d y + f)."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def __call__(self, x: float, y: float) -> Point:
        """The point's image."""
        return self.a * x + self.b * y + self.e, self.c * x + self.d * y + self.f


def affine(sources: Sequence[Point], targets: Sequence[Point]) -> Affine:
    """The transform that takes three points that are not on a line to three others."""
    u, q, v = svd([[x for x, _ in sources], [y for _, y in sources], [1.0] * len(sources)])
    smallest = _EPS * 3 * max(q)
    inverses = [1 / value if abs(value) >= smallest else 0.0 for value in q]
    scaled = [[value * inverses[column] for column, value in enumerate(row)] for row in v]
    inverse = product(scaled, transpose(u))
    (a, b, e), (c, d, f) = product([[x for x, _ in targets], [y for _, y in targets]], inverse)
    return Affine(a, b, c, d, e, f)


def similarity(sources: Sequence[Point], targets: Sequence[Point]) -> Affine:
    """The rotation, scale and shift that takes the points nearest to the others (Umeyama, PAMI 1991, 34 to 43)."""
    number = len(sources)
    from_x, from_y = _mean(sources)
    to_x, to_y = _mean(targets)
    spread = 0.0
    covariance = [[0.0, 0.0], [0.0, 0.0]]
    for (x, y), (across, down) in zip(sources, targets, strict=True):
        x, y, across, down = x - from_x, y - from_y, across - to_x, down - to_y
        spread += x * x + y * y
        for row, value in enumerate((across, down)):
            covariance[row][0] += value * x
            covariance[row][1] += value * y
    spread /= number
    # dlib divides a matrix or a vector by taking it times the reciprocal, and a number by dividing.
    share = 1 / number
    covariance = [[value * share for value in row] for row in covariance]
    u, q, v = svd([list(row) for row in covariance])
    signs = [1.0, 1.0]
    determinant = _determinant(covariance)
    if determinant < 0 or (determinant == 0 and _determinant(u) * _determinant(v) < 0):
        signs[1 if q[1] < q[0] else 0] = -1.0
    mirrored = product(u, [[signs[0], 0.0], [0.0, signs[1]]])
    rotation = product(mirrored, transpose(v))
    scale = 1 / spread * (q[0] * signs[0] + q[1] * signs[1]) if spread else 1.0
    (a, b), (c, d) = ([scale * value for value in row] for row in rotation)
    x, y = (scale * (row[0] * from_x + row[1] * from_y) for row in rotation)
    return Affine(a, b, c, d, to_x - x, to_y - y)


def _mean(points: Sequence[Point]) -> Point:
    x = y = 0.0
    for across, down in points:
        x += across
        y += down
    return x / len(points), y / len(points)


def _determinant(m: Matrix) -> float:
    return m[0][0] * m[1][1] - m[0][1] * m[1][0]


def transpose(m: Matrix) -> Matrix:
    """Rows as columns."""
    return [list(column) for column in zip(*m, strict=True)]


def product(left: Matrix, right: Matrix) -> Matrix:
    """The matrix product, each sum from the first term on."""
    result = []
    for row in left:
        line = []
        for column in zip(*right, strict=True):
            total = row[0] * column[0]
            for a, b in zip(row[1:], column[1:], strict=True):
                total += a * b
            line.append(total)
        result.append(line)
    return result


def svd(u: Matrix) -> tuple[Matrix, list[float], Matrix]:
    """u, q, v with `m = u diag(q) v'` of a small square matrix; the argument is overwritten."""
    n = len(u)
    q, e = [0.0] * n, [0.0] * n
    g, largest = _bidiagonal(u, q, e)
    v = _right(u, e, g)
    _left(u, q)
    _diagonalize(u, q, v, e, _EPS * largest)
    return u, q, v


def _bidiagonal(u: Matrix, q: list[float], e: list[float]) -> tuple[float, float]:
    n = len(u)
    g = largest = 0.0
    for i in range(n):
        e[i] = g
        s = 0.0
        for j in range(i, n):
            s += u[j][i] * u[j][i]
        if s < _TOLERANCE:
            g = 0.0
        else:
            f = u[i][i]
            g = math.sqrt(s) if f < 0 else -math.sqrt(s)
            h = f * g - s
            u[i][i] = f - g
            for j in range(i + 1, n):
                s = 0.0
                for k in range(i, n):
                    s += u[k][i] * u[k][j]
                f = s / h
                for k in range(i, n):
                    u[k][j] += f * u[k][i]
        q[i] = g
        s = 0.0
        for j in range(i + 1, n):
            s += u[i][j] * u[i][j]
        if s < _TOLERANCE:
            g = 0.0
        else:
            f = u[i][i + 1]
            g = math.sqrt(s) if f < 0 else -math.sqrt(s)
            h = f * g - s
            u[i][i + 1] = f - g
            for j in range(i + 1, n):
                e[j] = u[i][j] / h
            for j in range(i + 1, n):
                s = 0.0
                for k in range(i + 1, n):
                    s += u[j][k] * u[i][k]
                for k in range(i + 1, n):
                    u[j][k] += s * e[k]
        largest = max(largest, abs(q[i]) + abs(e[i]))
    return g, largest


def _right(u: Matrix, e: list[float], g: float) -> Matrix:
    n = len(u)
    v = [[0.0] * n for _ in range(n)]
    after = n
    for i in reversed(range(n)):
        if g != 0.0:
            h = u[i][i + 1] * g
            for j in range(after, n):
                v[j][i] = u[i][j] / h
            for j in range(after, n):
                s = 0.0
                for k in range(after, n):
                    s += u[i][k] * v[k][j]
                for k in range(after, n):
                    v[k][j] += s * v[k][i]
        for j in range(after, n):
            v[i][j] = v[j][i] = 0.0
        v[i][i] = 1.0
        g = e[i]
        after = i
    return v


def _left(u: Matrix, q: list[float]) -> None:
    n = len(u)
    for i in reversed(range(n)):
        g = q[i]
        for j in range(i + 1, n):
            u[i][j] = 0.0
        if g == 0.0:
            for j in range(i, n):
                u[j][i] = 0.0
        else:
            h = u[i][i] * g
            for j in range(i + 1, n):
                s = 0.0
                for k in range(i + 1, n):
                    s += u[k][i] * u[k][j]
                f = s / h
                for k in range(i, n):
                    u[k][j] += f * u[k][i]
            for j in range(i, n):
                u[j][i] /= g
        u[i][i] += 1.0


def _diagonalize(u: Matrix, q: list[float], v: Matrix, e: list[float], eps: float) -> None:
    for k in reversed(range(len(q))):
        for _ in range(_MOST_ROUNDS):
            first = _split(u, q, e, k, eps)
            if first == k:
                break
            _rotate(u, q, v, e, first, k)
        if q[k] < 0.0:
            q[k] = -q[k]
            for row in v:
                row[k] = -row[k]


def _split(u: Matrix, q: list[float], e: list[float], k: int, eps: float) -> int:
    """Where the part that ends in k begins; a zero on the diagonal before it is cancelled."""
    for first in range(k, -1, -1):
        if abs(e[first]) <= eps:
            return first
        if abs(q[first - 1]) <= eps:
            break
    c, s = 0.0, 1.0
    for i in range(first, k + 1):
        f = s * e[i]
        e[i] *= c
        if abs(f) <= eps:
            break
        g = q[i]
        h = q[i] = math.sqrt(f * f + g * g)
        c, s = g / h, -f / h
        _turn(u, first - 1, i, c, s)
    return first


def _rotate(u: Matrix, q: list[float], v: Matrix, e: list[float], first: int, k: int) -> None:
    """One step of QR with the shift from the lowest two."""
    x, y, z, g, h = q[first], q[k - 1], q[k], e[k - 1], e[k]
    f = ((y - z) * (y + z) + (g - h) * (g + h)) / (2 * h * y)
    g = math.sqrt(f * f + 1.0)
    f = ((x - z) * (x + z) + h * (y / ((f - g) if f < 0 else (f + g)) - h)) / x
    c = s = 1.0
    for i in range(first + 1, k + 1):
        g, y = e[i], q[i]
        h = s * g
        g *= c
        e[i - 1] = z = math.sqrt(f * f + h * h)
        c, s = f / z, h / z
        f, g = x * c + g * s, -x * s + g * c
        h = y * s
        y *= c
        _turn(v, i - 1, i, c, s)
        q[i - 1] = z = math.sqrt(f * f + h * h)
        if z != 0:
            c, s = f / z, h / z
        f, x = c * g + s * y, -s * g + c * y
        _turn(u, i - 1, i, c, s)
    e[first] = 0.0
    e[k] = f
    q[k] = x


def _turn(m: Matrix, first: int, second: int, c: float, s: float) -> None:
    for row in m:
        y, z = row[first], row[second]
        row[first] = y * c + z * s
        row[second] = -y * s + z * c
