"""How far apart two points of the Earth are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

EARTH = 6_371_008.8
"""Mean radius of the Earth in metres: R1 of the ellipsoid WGS 84 (IUGG)."""
MOST_LATITUDE, MOST_LONGITUDE = 90, 180


@dataclass(frozen=True)
class Point:
    """Degrees: north and east are positive."""

    latitude: float
    longitude: float

    def __str__(self) -> str:
        """«61.004800,69.019100»: as addresses of maps want it."""
        return f"{self.latitude:.6f},{self.longitude:.6f}"


def metres(one: Point, two: Point) -> float:
    """The way of a bird, by the haversine formula: half a per cent off at the most."""
    north, other = radians(one.latitude), radians(two.latitude)
    down = sin((other - north) / 2) ** 2
    across = sin(radians(two.longitude - one.longitude) / 2) ** 2
    return 2 * EARTH * asin(sqrt(min(1.0, down + cos(north) * cos(other) * across)))


def sensible(latitude: float, longitude: float) -> bool:
    """Whether there is such a point at all (nothing that is not a number is)."""
    return abs(latitude) <= MOST_LATITUDE and abs(longitude) <= MOST_LONGITUDE
