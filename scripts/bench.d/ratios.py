"""What samples of several candidates, taken in the same rounds, say about one another."""

from __future__ import annotations

from statistics import median, quantiles
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@frozen
class Ratio:
    """A median of ratios, and the middle half of them."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def paired(samples: Mapping[str, Sequence[float]], base: str) -> dict[str, Ratio]:
    """Each candidate's ratio to the base, round by round: what slows a round down slows both.

    Empty if the base has no samples.
    """
    if not samples.get(base):
        return {}
    return {name: ratio(values, samples[base]) for name, values in samples.items()}


def ratio(values: Sequence[float], base: Sequence[float]) -> Ratio:
    """The ratio of values to those of the same rounds.

    Raises:
        ValueError: The rounds are not the same.
    """
    found = [value / other for value, other in zip(values, base, strict=True)]
    low, _, high = quantiles(found, n=4, method="inclusive") if len(found) > 1 else found * 3
    return Ratio(median(found), low, high)
