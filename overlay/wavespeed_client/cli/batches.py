"""Run a batch on the command line: confirm the price, print the outcomes, and set the exit code."""

from __future__ import annotations

import math
import sys
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from attrs import define, evolve, field, frozen

from ..arguments import model_id
from ..batch.outcome import Progress
from ..batch.reading import read_journal
from ..errors import CostLimitError, TaskFailedError, TaskTimeoutError, WaveSpeedError
from . import exits
from .catalogue import facts_for
from .paying import create_folder
from .plan import planned, quoted
from .progress import batch_progress
from .records import dollars, output_lines, task_record
from .rows import STDIN, inputs_of, is_text, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..batch.outcome import Outcome
    from ..client import WaveSpeed
    from .plan import Plan, Quote
    from .printer import Printer

SAVES_AT_ONCE = 4


@frozen
class Terms:
    """The arguments of a batch.

    Attributes:
        model: The model's id.
        source: The file with the inputs.
        journal: The journal.
        folder: Where to save outputs.
        max_cost: The most that one task may cost, in USD.
        budget: The most that all tasks may cost, in USD.
        yes: Whether to pay without asking.
        retry_failed: Whether to submit failed tasks again.
        inputs: The inputs, once they are read.
    """

    model: str
    source: str
    journal: Path | None
    folder: Path | None
    max_cost: float | None
    budget: float | None
    yes: bool
    retry_failed: bool
    inputs: Sequence[dict[str, Any]] = ()


def prepare(printer: Printer, ws: WaveSpeed, terms: Terms) -> Terms:
    """Read the inputs, show their price, and ask for confirmation; return the terms with inputs and budget.

    Raises:
        UsageError: An input is wrong; or there is no terminal to confirm on, and neither --yes nor --budget.
        ClickException: The user declined.
    """
    model_id(terms.model)
    create_folder(terms.folder)
    rows = read_rows(terms.source)
    facts = facts_for(printer, ws, terms.model) if is_text(rows) else None
    inputs = inputs_of(rows, facts, Path() if terms.source == STDIN else Path(terms.source).parent)
    exists = terms.journal is not None and terms.journal.exists()
    entries = read_journal(terms.journal) if exists and terms.journal is not None else []
    plan = planned(terms.model, inputs, entries, terms.retry_failed)
    budget = _agreed(printer, ws, terms, plan) if plan.to_pay else terms.budget
    return evolve(terms, inputs=inputs, budget=budget)


def _agreed(printer: Printer, ws: WaveSpeed, terms: Terms, plan: Plan) -> float | None:
    """Show the price, ask for confirmation, and return the budget."""
    quote = quoted(ws, terms.model, plan.to_pay, terms.max_cost)
    summary = f"{plan}: {_amount(quote)}."
    if terms.budget is not None:
        summary += f" The budget is {dollars(terms.budget)}"
        summary += f", of which {dollars(plan.spent)} is spent." if plan.spent else "."
    can_ask = sys.stdin.isatty() and sys.stderr.isatty() and terms.source != STDIN
    if can_ask and not terms.yes:
        if not click.confirm(f"{summary} Continue?", err=True):
            raise click.ClickException("Nothing was submitted.")
        # The confirmed price is the limit, even if prices change meanwhile.
        confirmed = float(plan.spent + quote.amount) if quote.exact else None
        return confirmed if terms.budget is None else terms.budget
    if terms.budget is None and not terms.yes:
        raise click.UsageError(
            f"{summary} Nothing was submitted. To confirm without a terminal, add --yes, or set a limit with --budget."
        )
    printer.message(summary)
    return terms.budget


def _amount(quote: Quote) -> str:
    words = dollars(quote.amount) if quote.exact else f"about {dollars(quote.amount)}"
    return words + (f", without {quote.too_expensive} above --max-cost" if quote.too_expensive else "")


def carry_out(printer: Printer, ws: WaveSpeed, terms: Terms, limits: dict[str, Any]) -> int:
    """Run a batch; return the exit code."""
    report = Report(printer, ws, terms, Progress(total=len(terms.inputs)))
    with batch_progress(printer, report.progress) as show:

        def on_progress(progress: Progress) -> None:
            report.progress = progress
            show(progress)

        outcomes = ws.run_many(
            terms.model,
            terms.inputs,
            journal=terms.journal,
            max_cost=terms.max_cost,
            budget=math.inf if terms.budget is None else terms.budget,
            retry_failed=terms.retry_failed,
            on_progress=on_progress,
            **limits,
        )
        try:
            with ThreadPoolExecutor(SAVES_AT_ONCE) as pool:
                for outcome in outcomes:
                    report.add(outcome, pool)
                report.finish()
        except (KeyboardInterrupt, BrokenPipeError):
            outcomes.close()
            printer.message(report.left())
            raise
    printer.message(report.summary())
    return report.code


@define(eq=False)
class Report:
    """A report that prints the outcomes of a batch in order, each once its outputs are saved."""

    printer: Printer
    ws: WaveSpeed
    terms: Terms
    progress: Progress
    code: int = field(init=False, default=0)
    _waiting: deque[tuple[Outcome, Future[list[Path]] | None]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._waiting = deque()

    def add(self, outcome: Outcome, pool: ThreadPoolExecutor) -> None:
        """Add an outcome, start saving its outputs, and print those that are ready."""
        saves = self.terms.folder is not None and outcome.error is None
        self._waiting.append((outcome, pool.submit(self.ws.save, outcome, self.terms.folder or "") if saves else None))
        while self._waiting and (self._waiting[0][1] is None or self._waiting[0][1].done()):
            self._print(*self._waiting.popleft())

    def finish(self) -> None:
        """Print the remaining outcomes."""
        while self._waiting:
            self._print(*self._waiting.popleft())

    def summary(self) -> str:
        """Summarize the batch in one line."""
        now = self.progress
        words = [f"{now.done - now.failed - now.uncertain} done"]
        words += [f"{now.failed} failed"] if now.failed else []
        words += [f"{now.uncertain} uncertain"] if now.uncertain else []
        words += [f"cost {dollars(now.cost)}"] if now.cost is not None else []
        return ", ".join(words)

    def left(self) -> str:
        """Return what is left after an interruption, and how to continue."""
        terms, now = self.terms, self.progress
        if terms.journal is None:
            return (
                f"Stopped after {now.done} of {now.total}. Submitted tasks keep running: find them with "
                "`wavespeed-client list`. With --journal, the same command can continue next time."
            )
        plan = planned(terms.model, terms.inputs, read_journal(terms.journal), False)
        return f"Stopped: {plan}. Submitted tasks keep running. Run the same command again to continue."

    def _print(self, outcome: Outcome, saving: Future[list[Path]] | None) -> None:
        error: BaseException | None = outcome.error
        paths: list[str] = []
        try:
            paths = [str(path) for path in saving.result()] if saving is not None else []
        except WaveSpeedError as failure:
            error = failure
        self.code = _more_severe(self.code, error)
        if error is not None and not self.printer.json:
            text = "\n".join([exits.message_of(error), *exits.advice(error)])
            self.printer.message(f"input {outcome.index + 1}: {text}")
        record = {
            "index": outcome.index,
            "input": _plain(outcome.input),
            "task": task_record(outcome.task) if outcome.task else None,
            "error": exits.error_record(error) if error is not None else None,
            "files": paths,
        }
        lines = [] if outcome.error is not None or outcome.task is None else output_lines(outcome.task)
        self.printer.result(record, lines if self.terms.folder is None else paths)


def _more_severe(code: int, error: BaseException | None) -> int:
    """Return the more severe exit code. The worst is a task that may have cost money unnoticed."""
    if error is None:
        return code
    known = isinstance(error, CostLimitError | TaskFailedError | TaskTimeoutError)
    other = exits.exit_code(error)
    other = other if known or other == exits.UNCERTAIN else exits.ERROR
    order = (exits.UNCERTAIN, exits.TIMED_OUT, exits.ERROR, exits.FAILED, exits.TOO_EXPENSIVE, 0)
    return min(code, other, key=order.index)


def _plain(value: Any) -> Any:
    """Return an input for JSON, with the paths of its files."""
    if isinstance(value, dict):
        return {name: _plain(child) for name, child in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(child) for child in cast("Sequence[Any]", value)]
    return str(value) if isinstance(value, Path) else value
