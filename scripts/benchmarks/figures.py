"""What samples say: a median, and how sure it is."""

from __future__ import annotations

from math import comb
from statistics import median
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

# How likely the true median is to be outside a figure's interval.
DOUBT = 0.1


@frozen
class Figure:
    """A median, and the interval that holds the true one in nine of ten cases."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, *values: float) -> Figure:
        """Take the median of independent values, and its interval, whatever their distribution.

        The true median is below the k-th smallest of n values with the chance that fewer than k of n coins show heads.
        Fewer than five values are too few for that: the interval then reaches from the least to the greatest.
        """
        ordered, count = sorted(values), len(values)
        chances = [2 * sum(comb(count, heads) for heads in range(cut + 1)) / 2**count for cut in range(count // 2)]
        cut = max((cut for cut, chance in enumerate(chances) if chance <= DOUBT), default=0)
        return cls(median(ordered), ordered[cut], ordered[-1 - cut])

    def __str__(self) -> str:
        spread = "" if self.low == self.high else f" ({self.low:.3g} to {self.high:.3g})"
        return f"{self.value:.3g}{spread}"


def ratios(values: Sequence[float], base: Sequence[float]) -> list[float]:
    """Divide each value by the base's of the same round: what slows a round down slows both.

    Raises:
        ValueError: The rounds are not the same.
    """
    return [value / other for value, other in zip(values, base, strict=True)]
