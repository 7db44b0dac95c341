"""Which way a head faces (姿态), from five landmarks.

A rigid model of five points is turned, scaled and shifted until its parallel projection (weak perspective) lies nearest
to the landmarks: Gauss-Newton over a rotation and a scale. What that can tell:

- roll is as exact as the landmarks are;
- yaw follows from how far the nose base leaves the middle of the eyes. Beyond about 45 degrees the farther eye hides
  and its landmarks are guesses: the figure then says "from the side", and no more;
- pitch follows from the length of the nose against the distance of the eyes. Both differ between people by as much as
  10 degrees of pitch, and the lens adds to it from near by: it is the weakest of the three.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_ROUNDS = 12
# Landmarks are whole pixels: a smaller step than this (radians, share of the scale) is below their own error.
_SETTLED = 1e-4
# Where a landmark is a guess, a full Gauss-Newton step may leap over the minimum.
_LONGEST_STEP = 0.5
# Radians of yaw beyond which other starts are tried, and those starts.
_AMBIGUOUS = 0.35
_ASIDE, _TILT = 0.8, 0.3
# Squared distance left, in squared eye distances, of a fit that may be improved: 19 of 20 LFW faces are below it.
_POOR = 0.003


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles of a head in degrees, 0 when it looks into the camera upright.

    Attributes:
        yaw: to the side, -90 to 90; positive towards the right of the picture (the person's left).
        pitch: up (positive) or down, -90 to 90.
        roll: tilt, -180 to 180; positive clockwise in the picture.
    """

    yaw: float
    pitch: float
    roll: float


def estimate(landmarks: Sequence[tuple[float, float]], model: NDArray[np.float64]) -> Pose | None:
    """The pose of a head; None when the eyes fall together, so that there is nothing to measure by.

    Args:
        landmarks: (x, y) of the person's left eye (outer, inner corner), right eye (outer, inner), nose base.
        model: the same points of a mean face looking at the camera, shape (5, 3), in any unit: x to the right of the
            picture, y down, z away from the camera.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    left, right = points[0:2].mean(axis=0), points[2:4].mean(axis=0)
    across, down = left - right
    distance = math.hypot(across, down)
    if distance < 1e-6:
        return None
    solid = model - model.mean(axis=0)
    flat = points - points.mean(axis=0)
    span = float(model[0:2].mean(axis=0)[0] - model[2:4].mean(axis=0)[0])
    # Yaw to start from: a parallel projection moves the nose base by its depth before the eyes, times sin yaw.
    sideways = float((points[4] - (left + right) / 2) @ (across, down)) / distance**2
    depth = float(model[:4, 2].mean() - model[4, 2])
    yaw = math.asin(min(0.9, max(-0.9, sideways * span / depth)))
    roll = math.atan2(down, across)
    best = _fit(solid, flat, yaw, roll, distance / span)
    if max(abs(yaw), abs(best.yaw)) > _AMBIGUOUS or best.missing > _POOR * distance**2:
        # Pitch tilts the line of the eyes of a turned head: from a start that takes it for roll, the search may end in
        # the wrong valley.
        others = (
            _fit(solid, flat, other, roll + tilt, distance / span)
            for other in (-_ASIDE, _ASIDE)
            for tilt in (-_TILT, _TILT)
        )
        best = min((best, *others), key=lambda fit: fit.missing)
    return Pose(math.degrees(best.yaw), math.degrees(best.pitch), math.degrees(best.roll))


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where a search ended: angles in radians, and the squared distance that is left."""

    yaw: float
    pitch: float
    roll: float
    missing: float


def _fit(solid: NDArray[np.float64], flat: NDArray[np.float64], yaw: float, roll: float, size: float) -> _Fit:
    """Gauss-Newton from a yaw, a roll and the scale that the eyes have when seen from the front."""
    rotation = _turn(0.0, 0.0, roll) @ _turn(0.0, -yaw, 0.0)
    scale = size / max(math.cos(yaw), 0.3)
    for _ in range(_MOST_ROUNDS):
        seen = solid @ rotation.T
        missing = (flat - scale * seen[:, :2]).ravel()
        x, y, z = seen.T
        nothing = np.zeros(5)
        slopes = np.stack([[nothing, -z], [z, nothing], [-y, x], [x, y]]).transpose(2, 1, 0).reshape(10, 4) * scale
        # A touch of damping keeps the system solvable when the landmarks lie on one line.
        square = slopes.T @ slopes
        step = np.linalg.solve(square + 1e-9 * float(np.trace(square)) * np.eye(4), slopes.T @ missing)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        rotation = _turn(*step[:3]) @ rotation
        scale *= math.exp(step[3])
        if float(np.abs(step).max()) < _SETTLED:
            break
    left = flat - scale * (solid @ rotation.T)[:, :2]
    return _Fit(
        yaw=math.atan2(rotation[2, 0], rotation[2, 2]),
        pitch=math.asin(min(1.0, max(-1.0, -rotation[2, 1]))),
        roll=math.atan2(-rotation[0, 1], rotation[1, 1]),
        missing=float((left**2).sum()),
    )


def _turn(x: float, y: float, z: float) -> NDArray[np.float64]:
    """Rotation by the length of (x, y, z) about its direction (Rodrigues)."""
    angle = math.sqrt(x * x + y * y + z * z)
    cross: NDArray[np.float64] = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    # Their limits near 0: the quotients themselves would be 0 / 0 there.
    first, second = (1.0, 0.5) if angle < 1e-6 else (math.sin(angle) / angle, (1 - math.cos(angle)) / angle**2)
    turned: NDArray[np.float64] = np.eye(3) + first * cross + second * (cross @ cross)
    return turned
