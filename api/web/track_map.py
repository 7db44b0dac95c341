"""The track of a lookout as a drawing (行踪图): its points on a plane, the ways between them, a scale.

It needs nothing from outside: a grid of known width with north above, the divisions written beside their first point;
under it lie the pictures of a tile server, where one is configured. Units are those of the drawing, `WIDTH` × `HEIGHT`,
unless said otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, radians

from api.web.tiles import Tile, View, tiles
from models.sighting import Heading
from tracing.lookout_track import EARTH_KM, Pace, TrackPoint

WIDTH, HEIGHT, MARGIN = 640.0, 440.0, 72.0
NARROWEST_KM = 0.4
"""A map of one point, or of points at one place, shows this much."""
APART = 26.0
"""Points nearer than this are drawn as one."""
CELL = 90.0
"""The least width of a cell of the grid."""
DEGREES = {heading: 45 * position for position, heading in enumerate(list(Heading)[:8])}
"""Clockwise from north."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place of the track, and the numbers of its points from 1 in order of time. `turn`: the heading in degrees from
    north of the last one, None when it is not known or the person stayed. `last`: the newest point is here.
    """

    x: float
    y: float
    numbers: tuple[int, ...]
    turn: int | None
    last: bool
    division: str | None


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from one point to the next."""

    x1: float
    y1: float
    x2: float
    y2: float
    pace: Pace | None


@dataclass(frozen=True, slots=True)
class TrackMap:
    """The drawing. A cell of the grid is `cell` wide and stands for `cell_km`."""

    spots: tuple[Spot, ...]
    legs: tuple[Leg, ...]
    cell: float
    cell_km: float
    tiles: tuple[Tile, ...]

    @property
    def across(self) -> list[float]:
        """Where the lines of the grid from top to bottom are."""
        return _lines(self.cell, WIDTH)

    @property
    def down(self) -> list[float]:
        """Where the lines of the grid from side to side are."""
        return _lines(self.cell, HEIGHT)


def track_map(points: Sequence[TrackPoint], tile_template: str = "") -> TrackMap | None:
    """The drawing of a track, over tiles if there is a template; None when no sighting of it has a point.

    Equirectangular about the middle latitude, which is true to a part in a thousand over a day's way.
    """
    placed = [
        (number, point, point.sighting.latitude, point.sighting.longitude)
        for number, point in enumerate(points, start=1)
        if point.sighting.latitude is not None and point.sighting.longitude is not None
    ]
    if not placed:
        return None
    latitudes, longitudes = [one[2] for one in placed], [one[3] for one in placed]
    north, west = (max(latitudes) + min(latitudes)) / 2, (max(longitudes) + min(longitudes)) / 2
    km = radians(1) * EARTH_KM
    plane = [((one[3] - west) * km * cos(radians(north)), (north - one[2]) * km) for one in placed]
    wide, high = (max(values) - min(values) for values in zip(*plane, strict=True))
    scale = min((WIDTH - 2 * MARGIN) / max(wide, NARROWEST_KM), (HEIGHT - 2 * MARGIN) / max(high, NARROWEST_KM))

    def place(latitude: float, longitude: float) -> tuple[float, float]:
        x, y = (longitude - west) * km * cos(radians(north)), (north - latitude) * km
        return WIDTH / 2 + x * scale, HEIGHT / 2 + y * scale

    drawn = [place(latitude, longitude) for _, _, latitude, longitude in placed]
    up, across = HEIGHT / 2 / scale / km, WIDTH / 2 / scale / km / cos(radians(north))
    view = View(north + up, north - up, west - across, west + across, scale, place)
    legs = tuple(
        Leg(*drawn[at - 1], *drawn[at], placed[at][1].pace) for at in range(1, len(drawn)) if drawn[at] != drawn[at - 1]
    )
    cell_km = _round_km(CELL / scale)
    numbered = [(number, point, spot) for (number, point, _, _), spot in zip(placed, drawn, strict=True)]
    return TrackMap(_spots(numbered), legs, cell_km * scale, cell_km, tiles(tile_template, view))


def _spots(points: Sequence[tuple[int, TrackPoint, tuple[float, float]]]) -> tuple[Spot, ...]:
    found: list[Spot] = []
    named: set[str] = set()
    for number, point, (x, y) in points:
        heading = point.sighting.heading
        turn = DEGREES.get(heading) if heading else None
        near = next((at for at, one in enumerate(found) if hypot(one.x - x, one.y - y) < APART), None)
        if near is not None:
            one = found[near]
            found[near] = Spot(one.x, one.y, (*one.numbers, number), turn, point is points[-1][1], one.division)
            continue
        division = point.sighting.division
        found.append(Spot(x, y, (number,), turn, point is points[-1][1], None if division in named else division))
        named.add(division)
    return tuple(found)


def _round_km(least: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    step = 0.001
    while True:
        for times in (1, 2, 5):
            if step * times >= least:
                return step * times
        step *= 10


def _lines(cell: float, length: float) -> list[float]:
    """Multiples of the cell on both sides of the middle, as the points are drawn about it."""
    first = (length / 2) % cell
    return [first + cell * position for position in range(int((length - first) / cell) + 1)]
