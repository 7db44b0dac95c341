"""Places in a turned photograph, told in the photograph as it was given."""

from matcher.faces.engine import Box


def turn_point_back(x: float, y: float, turns: int, width: int, height: int) -> tuple[float, float]:
    """Where pixel (x, y) of `np.rot90(pixels, turns)` is in the photograph of that width and height."""
    if turns == 1:
        return float(width - 1 - y), float(x)
    if turns == 2:
        return float(width - 1 - x), float(height - 1 - y)
    if turns == 3:
        return float(y), float(height - 1 - x)
    return float(x), float(y)


def turn_back(box: Box, turns: int, width: int, height: int) -> Box:
    """The box of `np.rot90(pixels, turns)` in the photograph of that width and height, clipped to it."""
    last_x, last_y = box.right - 1, box.bottom - 1
    corners = [turn_point_back(x, y, turns, width, height) for x, y in ((box.left, box.top), (last_x, last_y))]
    left, right = sorted(round(x) for x, _ in corners)
    top, bottom = sorted(round(y) for _, y in corners)
    return Box(max(0, top), min(width, right + 1), min(height, bottom + 1), max(0, left))
