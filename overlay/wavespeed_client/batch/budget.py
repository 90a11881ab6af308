"""Compare the prices of a batch's tasks with its limits. Pure.

The service does not report what a task has cost, so the budget counts quoted prices. A quote counts as soon as its task
is about to be submitted. It stops counting if the task was not started or has failed, because the service does not bill
those. It keeps counting if the task may have been started.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import define, field

from ..arguments import check_cost
from ..errors import CostLimitError
from .job import Job, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..catalogue.rows import Price
    from .outcome import Outcome


@define(eq=False)
class Budget:
    """The budget of one batch. Sums are exact: amounts are decimal numbers, not floats.

    Attributes:
        max_cost: Limit for each task, in USD; None for no limit.
        most: Limit for all tasks together, in USD; None for no limit.
        refused: The first price that exceeded the budget; None until then.
        waiting: Jobs that exceed the budget now, but may fit when other tasks fail.
    """

    max_cost: float | None
    most: float | None
    refused: Price | None = field(init=False, default=None)
    waiting: list[Job] = field(init=False, factory=list[Job])
    _spent: Decimal = field(init=False, default=Decimal(0))
    _open: dict[int, Decimal] = field(init=False, factory=dict[int, Decimal])

    @property
    def needs_prices(self) -> bool:
        """Whether the batch requests prices."""
        return self.max_cost is not None or self.most is not None

    @property
    def cost(self) -> float | None:
        """The sum of the quotes that count, in USD; None if the batch requests no prices."""
        return float(self._spent + sum(self._open.values())) if self.needs_prices else None

    def opened(self, spent: Iterable[float]) -> None:
        """Count the quotes of earlier runs."""
        self._spent = sum(map(_exact, spent), Decimal(0))

    def resumed(self, job: int, cost: float | None) -> None:
        """Record that a job continues a task of an earlier run. Its quote no longer counts if that task fails."""
        if cost is not None:
            self._spent -= _exact(cost)
            self._open[job] = _exact(cost)

    def admits(self, job: int, price: Price) -> bool:
        """Return whether a job may be submitted now at this price. If it may, its price counts; if not, try later.

        Raises:
            CostLimitError: The price exceeds a limit, now and later.
        """
        check_cost(price, self.max_cost if self.max_cost is not None else self.most or 0.0)
        cost = _exact(price.discounted_price)
        if self.most is not None and self._spent + sum(self._open.values()) + cost > _exact(self.most):
            if self.refused is not None or self._spent + cost > _exact(self.most):
                self.refused = self.refused or price
                raise _too_much(price, self.most, _exact(self.most) - self._spent)
            return False
        self._open[job] = cost
        return True

    def asked_next(self, job: Job) -> bool:
        """Let a job request its price next, or wait for the budget if it has one. Return whether it continues now."""
        if job.stage is Stage.PRICE:
            self.waiting.append(job)
            return False
        job.stage, job.price = Stage.PRICE, self.refused
        return True

    def ended(self, job: int, outcome: Outcome) -> list[Job]:
        """Record a job's outcome. Return the jobs that waited for the budget, so that they check it again."""
        cost = self._open.pop(job, None)
        if cost is None:
            return []
        task = outcome.task
        if outcome.uncertain or (task is not None and (task.succeeded or not task.done)):
            self._spent += cost
        waiting, self.waiting = self.waiting, []
        return waiting


def _exact(amount: float) -> Decimal:
    return Decimal(repr(float(amount)))


def _too_much(price: Price, most: float, left: Decimal) -> CostLimitError:
    return CostLimitError(
        f"The budget of {most:g} USD is spent: {max(left, Decimal(0)):f} USD are left, and a task of "
        f"{price.model_id or 'this model'} would cost {price.discounted_price:g} USD. Nothing was submitted.",
        price=price,
        limit=most,
    )
