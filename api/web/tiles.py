"""Tiles (地图瓦片): pictures of a tile server under the drawing of a track, where an operator has named one.

Web Mercator (EPSG:3857) with 2**zoom tiles a side, numbered from the north-west: x = (lon + 180) / 360,
y = (1 - asinh(tan lat) / pi) / 2, both times 2**zoom. Over a day's way it differs from the drawing's own projection by
less than a line is wide.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import asinh, atan, ceil, cos, degrees, floor, log2, pi, radians, sinh, tan
from urllib.parse import urlsplit

from tracing.lookout_track import EARTH_KM

SIDE = 256.0
"""About how wide a tile is to be drawn."""
DEEPEST = 18


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture and where it lies in the drawing."""

    address: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class View:
    """What a drawing shows: its edges in degrees, how many of its units a kilometre is, and where a position lies."""

    north: float
    south: float
    west: float
    east: float
    units_a_km: float
    place: Callable[[float, float], tuple[float, float]]


def tiles(template: str, view: View) -> tuple[Tile, ...]:
    """The tiles that cover the view; none without a template, in which `{z}`, `{x}`, `{y}` stand for the place."""
    if not template:
        return ()
    middle = radians((view.north + view.south) / 2)
    zoom = round(log2(2 * pi * EARTH_KM * cos(middle) * view.units_a_km / SIDE))
    zoom = max(0, min(DEEPEST, zoom))
    side = 2**zoom
    columns = range(floor(_column(view.west, side)), ceil(_column(view.east, side)))
    rows = range(max(0, floor(_row(view.north, side))), min(side, ceil(_row(view.south, side))))
    found = []
    for column in columns:
        for row in rows:
            left, top = view.place(_latitude(row, side), column / side * 360 - 180)
            right, bottom = view.place(_latitude(row + 1, side), (column + 1) / side * 360 - 180)
            address = template.format(z=zoom, x=column % side, y=row)
            found.append(Tile(address, left, top, right - left, bottom - top))
    return tuple(found)


def origin(template: str) -> str:
    """Scheme and host of the tile server, for the content policy; "" without one."""
    parts = urlsplit(template)
    return f"{parts.scheme}://{parts.netloc}" if template else ""


def _column(longitude: float, side: int) -> float:
    return (longitude + 180) / 360 * side


def _row(latitude: float, side: int) -> float:
    return (1 - asinh(tan(radians(latitude))) / pi) / 2 * side


def _latitude(row: float, side: int) -> float:
    return degrees(atan(sinh(pi * (1 - 2 * row / side))))
