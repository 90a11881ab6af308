"""A batch on the command line: what is asked before it, what is printed of it, and how it ends."""

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
from .paying import checked_folder
from .plan import planned, quoted
from .progress import batch_shown
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
    """What was asked for.

    Attributes:
        model: The model's id.
        source: The file with the inputs.
        journal: The journal's file.
        folder: Where outputs are saved.
        max_cost: Most that a task may cost, in USD.
        budget: Most that all of them may cost, in USD.
        yes: Whether to pay without asking.
        retry_failed: Whether failed tasks are submitted anew.
        inputs: The inputs, once they were read.
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


def checked(printer: Printer, ws: WaveSpeed, terms: Terms) -> Terms:
    """Read the inputs, say what they will cost, and ask whether that is to be paid.

    Raises:
        UsageError: The inputs cannot be; or nobody can be asked, and neither --yes nor --budget is given.
        Abort: It is not to be paid.
    """
    model_id(terms.model)
    checked_folder(terms.folder)
    rows = read_rows(terms.source)
    facts = facts_for(printer, ws, terms.model) if is_text(rows) else None
    inputs = inputs_of(rows, facts, Path() if terms.source == STDIN else Path(terms.source).parent)
    exists = terms.journal is not None and terms.journal.exists()
    entries = read_journal(terms.journal) if exists and terms.journal is not None else []
    plan = planned(terms.model, inputs, entries, terms.retry_failed)
    budget = _agreed(printer, ws, terms, plan) if plan.to_pay else terms.budget
    return evolve(terms, inputs=inputs, budget=budget)


def _agreed(printer: Printer, ws: WaveSpeed, terms: Terms, plan: Plan) -> float | None:
    """Say what is to be paid, and return the budget that was agreed to."""
    quote = quoted(ws, terms.model, plan.to_pay, terms.max_cost)
    told = f"{plan}: {_amount(quote)}."
    if terms.budget is not None:
        told += f" The budget is {dollars(terms.budget)}"
        told += f", of which {dollars(plan.spent)} is spent." if plan.spent else "."
    if terms.yes:
        printer.tell(told)
        return terms.budget
    if sys.stdin.isatty() and sys.stderr.isatty() and terms.source != STDIN:
        if not click.confirm(f"{told} Go on?", err=True):
            raise click.ClickException("Nothing was submitted.")
        # What was agreed to is the most that is paid, even if prices change meanwhile.
        agreed = float(plan.spent + quote.amount) if quote.exact else None
        return agreed if terms.budget is None else terms.budget
    if terms.budget is None:
        raise click.UsageError(
            f"{told} Nothing was submitted: without a terminal to ask on, say --yes, or set a limit with --budget."
        )
    printer.tell(told)
    return terms.budget


def _amount(quote: Quote) -> str:
    words = dollars(quote.amount) if quote.exact else f"about {dollars(quote.amount)}"
    return words + (f", without {quote.too_dear} above --max-cost" if quote.too_dear else "")


def carried_out(printer: Printer, ws: WaveSpeed, terms: Terms, limits: dict[str, Any]) -> int:
    """Carry out a batch, and return the exit code."""
    report = Report(printer, ws, terms, Progress(total=len(terms.inputs)))
    with batch_shown(printer, report.progress) as show:

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
            printer.tell(report.left())
            raise
    printer.tell(report.summary())
    return report.code


@define(eq=False)
class Report:
    """What is printed of a batch, outcome by outcome, once its outputs are saved."""

    printer: Printer
    ws: WaveSpeed
    terms: Terms
    progress: Progress
    code: int = field(init=False, default=0)
    _waiting: deque[tuple[Outcome, Future[list[Path]] | None]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._waiting = deque()

    def add(self, outcome: Outcome, pool: ThreadPoolExecutor) -> None:
        """Take an outcome in, and print what can be."""
        saves = self.terms.folder is not None and outcome.error is None
        self._waiting.append((outcome, pool.submit(self.ws.save, outcome, self.terms.folder or "") if saves else None))
        while self._waiting and (self._waiting[0][1] is None or self._waiting[0][1].done()):
            self._print(*self._waiting.popleft())

    def finish(self) -> None:
        """Print the rest."""
        while self._waiting:
            self._print(*self._waiting.popleft())

    def summary(self) -> str:
        """Return how it went, in a line."""
        now = self.progress
        words = [f"{now.done - now.failed - now.uncertain} done"]
        words += [f"{now.failed} failed"] if now.failed else []
        words += [f"{now.uncertain} uncertain"] if now.uncertain else []
        words += [f"cost {dollars(now.cost)}"] if now.cost is not None else []
        return ", ".join(words)

    def left(self) -> str:
        """Return what is left, and how to go on."""
        terms, now = self.terms, self.progress
        if terms.journal is None:
            return (
                f"Stopped after {now.done} of {now.total}. Tasks that are under way run on: find them with "
                "`wavespeed-client list`, and give a --journal next time, from which the same command can go on."
            )
        plan = planned(terms.model, terms.inputs, read_journal(terms.journal), False)
        return f"Stopped: {plan}. What is under way runs on. The same command goes on from {terms.journal}."

    def _print(self, outcome: Outcome, saving: Future[list[Path]] | None) -> None:
        error: BaseException | None = outcome.error
        paths: list[str] = []
        try:
            paths = [str(path) for path in saving.result()] if saving is not None else []
        except WaveSpeedError as failure:
            error = failure
        self.code = _graver(self.code, error)
        if error is not None and not self.printer.json:
            text = "\n".join([exits.message_of(error), *exits.advice(error)])
            self.printer.tell(f"input {outcome.index + 1}: {text}")
        record = {
            "index": outcome.index,
            "input": _plain(outcome.input),
            "task": task_record(outcome.task) if outcome.task else None,
            "error": exits.error_record(error) if error is not None else None,
            "files": paths,
        }
        lines = [] if outcome.error is not None or outcome.task is None else output_lines(outcome.task)
        self.printer.result(record, lines if self.terms.folder is None else paths)


def _graver(code: int, error: BaseException | None) -> int:
    """Return the exit code of whichever asks for more care: first what may cost money unseen."""
    if error is None:
        return code
    known = isinstance(error, CostLimitError | TaskFailedError | TaskTimeoutError)
    other = exits.exit_code(error)
    other = other if known or other == exits.UNCERTAIN else exits.ERROR
    order = (exits.UNCERTAIN, exits.TIMED_OUT, exits.ERROR, exits.FAILED, exits.TOO_DEAR, 0)
    return min(code, other, key=order.index)


def _plain(value: Any) -> Any:
    """Return an input as JSON shows it: a file by its path."""
    if isinstance(value, dict):
        return {name: _plain(child) for name, child in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(child) for child in cast("Sequence[Any]", value)]
    return str(value) if isinstance(value, Path) else value
