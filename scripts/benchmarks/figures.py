"""Medians of samples, with their confidence intervals."""

from __future__ import annotations

from math import comb
from statistics import median
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

# The probability that the true median is outside a figure's interval.
DOUBT = 0.1


@frozen
class Figure:
    """A median, and the interval that contains the true median in nine of ten cases."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, *values: float) -> Figure:
        """Return the median of independent values and its interval, for any distribution.

        The probability that the true median is below the k-th smallest of n values is that of fewer than k heads in n
        coin tosses. Fewer than five values are too few for this: the interval then includes all of them.
        """
        ordered, count = sorted(values), len(values)
        chances = [2 * sum(comb(count, heads) for heads in range(cut + 1)) / 2**count for cut in range(count // 2)]
        cut = max((cut for cut, chance in enumerate(chances) if chance <= DOUBT), default=0)
        return cls(median(ordered), ordered[cut], ordered[-1 - cut])

    def __str__(self) -> str:
        spread = "" if self.low == self.high else f" ({self.low:.3g} to {self.high:.3g})"
        return f"{self.value:.3g}{spread}"


def ratios(values: Sequence[float], base: Sequence[float]) -> list[float]:
    """Divide each value by the base's value of the same round, because other load slows both.

    Raises:
        ValueError: The numbers of rounds differ.
    """
    return [value / other for value, other in zip(values, base, strict=True)]
