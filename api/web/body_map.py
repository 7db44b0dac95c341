"""The figure (人体图) on which a mark's place is pointed at: front and back, one shape a region and side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from matcher.vocabulary import BodyRegion, BodySide

_R, _S = BodyRegion, BodySide
WIDTH, HEIGHT = 140, 290
_MIDDLE: Mapping[BodyRegion, str] = {
    _R.HEAD: "M70 6c12 0 18 10 17 23c-1 12-8 21-17 21s-16-9-17-21c-1-13 5-23 17-23z",
    _R.NECK: "M62 47q8 6 16 0l1 14q-9 4-18 0z",
    _R.HIP: "M51 140h38l4 20l-23 7l-23-7z",
}
_FRONT: Mapping[BodyRegion, str] = {
    _R.FACE: "M70 18c9 0 12 7 11 16c-1 8-5 13-11 13s-10-5-11-13c-1-9 2-16 11-16z",
    _R.CHEST: "M56 62q14 6 28 0q7 20 5 43h-38q-2-23 5-43z",
    _R.ABDOMEN: "M51 106h38v33h-38z",
    # Beside the head: in its place no finger would meet it.
    _R.MOUTH: "M116 22a13 13 0 1 1-.1 0zM108 35q8-7 16 0q-8 7-16 0zM108 35h16",
}
_BACK: Mapping[BodyRegion, str] = {_R.BACK: "M56 62q14 6 28 0q9 36 5 77h-38q-4-41 5-77z"}
_SIDED: Mapping[BodyRegion, str] = {
    _R.SHOULDER: "M60 60q-17 1-23 17l13 5q2-12 10-20z",
    _R.UPPER_ARM: "M36 78l14 5l-4 32l-14-2z",
    _R.FOREARM: "M32 114l14 2l-6 34l-12-2z",
    _R.HAND: "M28 149l12 2q3 12-2 20q-7 4-12-2q-2-10 2-20z",
    _R.THIGH: "M47 161l22 7l-2 46h-18z",
    _R.LOWER_LEG: "M49 215h18l-3 48h-12z",
    _R.FOOT: "M51 264h14v14q-8 7-19 2q1-9 5-16z",
}
"""The half that a viewer sees on the left; the other one is its mirror image."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One region's outline in the figure's units; `side` is the person's own, None in the middle."""

    region: BodyRegion
    side: BodySide | None
    path: str
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """The body from one side, `name` the msgid of which; regions in the order from head to foot."""

    name: str
    shapes: tuple[Shape, ...]


def _shapes(middle: Mapping[BodyRegion, str], seen_left: BodySide, seen_right: BodySide) -> Iterator[Shape]:
    for region, path in middle.items():
        yield Shape(region, None, path)
    for region, path in _SIDED.items():
        yield Shape(region, seen_left, path)
        yield Shape(region, seen_right, path, mirrored=True)


FIGURES = (
    Figure("From the front", tuple(_shapes({**_MIDDLE, **_FRONT}, _S.RIGHT, _S.LEFT))),
    Figure("From behind", tuple(_shapes({**_MIDDLE, **_BACK}, _S.LEFT, _S.RIGHT))),
)
