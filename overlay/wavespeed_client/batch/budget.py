"""What a batch may spend, and what it has: the prices that were quoted for its tasks. Pure.

The service does not tell what a task has cost. So a quote counts from before its task is submitted, and goes on
counting unless the task was not started or has failed: failed tasks are not billed. One that may have been started
counts.
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
    """The money of one batch, added up exactly as the amounts are written.

    Attributes:
        max_cost: Most that a task may cost, in USD; None for any price.
        most: Most that all tasks may cost, in USD; None for any sum.
        refused: The price that was the first not to fit; None so far.
        waiting: Jobs for which there is no money while others may still give some back.
    """

    max_cost: float | None
    most: float | None
    refused: Price | None = field(init=False, default=None)
    waiting: list[Job] = field(init=False, factory=list[Job])
    _spent: Decimal = field(init=False, default=Decimal(0))
    _open: dict[int, Decimal] = field(init=False, factory=dict[int, Decimal])

    @property
    def asks(self) -> bool:
        """Whether prices matter."""
        return self.max_cost is not None or self.most is not None

    @property
    def cost(self) -> float | None:
        """What counts so far, in USD; None if no prices are asked for."""
        return float(self._spent + sum(self._open.values())) if self.asks else None

    def opened(self, spent: Iterable[float]) -> None:
        """Take in what earlier runs were quoted for tasks that count."""
        self._spent = sum(map(_exact, spent), Decimal(0))

    def resumed(self, job: int, cost: float | None) -> None:
        """Let a job go on with a task of an earlier run: what counts already may still be given back."""
        if cost is not None:
            self._spent -= _exact(cost)
            self._open[job] = _exact(cost)

    def admits(self, job: int, price: Price) -> bool:
        """Take in what a job's task would cost. Return whether it may be submitted now; otherwise it may be later.

        Raises:
            CostLimitError: It may never be.
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
        """Let a job ask for its price next, or wait if that is known. Return whether it goes on."""
        if job.stage is Stage.PRICE:
            self.waiting.append(job)
            return False
        job.stage, job.price = Stage.PRICE, self.refused
        return True

    def ended(self, job: int, outcome: Outcome) -> list[Job]:
        """Take in a job's outcome. Return the jobs that wait for money: it may be enough now, or never will be."""
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
