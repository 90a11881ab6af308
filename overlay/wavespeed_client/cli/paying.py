"""The steps of one paid task: input, price, submission, wait, outputs. The price is shown before anything is paid."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..arguments import check_cost, model_id
from ..files.inputs import files_in, placed
from ..files.places import folder_at
from .catalogue import facts_for
from .fields import field_of, input_of, needs_schema
from .records import price_text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    from ..catalogue.rows import Price
    from ..client import WaveSpeed
    from ..task import Task
    from .printer import Printer
    from .steps import Steps


def given_input(printer: Printer, ws: WaveSpeed, model: str, given: Iterable[str]) -> dict[str, Any]:
    """Build the input from the arguments. Costs one request for the model's schema, unless all fields are JSON.

    Raises:
        UsageError: An argument is wrong.
    """
    model_id(model)
    fields = [field_of(argument) for argument in given]
    facts = facts_for(printer, ws, model) if needs_schema(fields) else None
    return input_of(fields, facts)


def submit(
    ws: WaveSpeed, steps: Steps, model: str, input: dict[str, Any], max_cost: float | None, webhook: str | None = None
) -> tuple[Price, Task]:
    """Upload the input's files, show the price, and submit the task. Without a price, nothing is submitted.

    Raises:
        CostLimitError: The task would cost more than `max_cost`.
        WaveSpeedError: See `WaveSpeed.price` and `WaveSpeed.submit`.
    """
    sent = _with_urls(ws, steps, input)
    steps.now("getting the price")
    price = ws.price(model, sent)
    if max_cost is not None:
        check_cost(price, max_cost)
    steps.add(f"price {price_text(price)}")
    steps.now("submitting")
    try:
        task = ws.submit(model, sent, webhook=webhook)
    except KeyboardInterrupt:
        steps.add(
            "Interrupted during the submission: the task may have been started. To check before you pay again: "
            f"wavespeed-client list --model {model}"
        )
        raise
    with _interruptible(steps, task):
        steps.add(f"task {task.id}")
    return price, task


def wait(ws: WaveSpeed, steps: Steps, task: Task | str, timeout: float | None) -> Task:
    """Wait for a task.

    Raises:
        TaskFailedError, TaskTimeoutError: See `WaveSpeed.wait`.
    """
    with _interruptible(steps, task):
        steps.now("waiting" if isinstance(task, str) else task.status)
        ended = ws.wait(task, timeout=timeout, on_update=lambda update: steps.now(update.status))
    steps.ended(ended.status)
    return ended


def save(ws: WaveSpeed, steps: Steps, task: Task, folder: Path | None) -> list[Path]:
    """Save a task's outputs to a folder, if there is one; return their paths."""
    return [] if folder is None else ws.save(task, folder, on_progress=transfer(steps, "downloading"))


def create_folder(folder: Path | None) -> None:
    """Create the folder for outputs, if there is one. Call it before anything is paid.

    Raises:
        InvalidInputError: The folder cannot be created.
    """
    if folder is not None:
        folder_at(folder)


def transfer(steps: Steps, what: str) -> Callable[[int, int | None], None]:
    """Return an `on_progress` function that shows the bytes of a transfer."""

    def show(done: int, total: int | None) -> None:
        steps.now(f"{what} {100 * done // total} %" if total else f"{what} {done // 1024} KiB")

    return show


@contextmanager
def _interruptible(steps: Steps, task: Task | str) -> Generator[None]:
    """On Ctrl-C, say how to wait again."""
    try:
        yield
    except KeyboardInterrupt:
        steps.add(f"The task keeps running. To wait again: wavespeed-client wait {getattr(task, 'id', task)}")
        raise


def _with_urls(ws: WaveSpeed, steps: Steps, input: dict[str, Any]) -> dict[str, Any]:
    """Upload the files of an input, each once; return the input with their URLs."""
    files = files_in(input)
    urls: dict[object, str] = {}
    for file in dict.fromkeys(files.values()):
        name = getattr(file, "name", "a file")
        urls[file] = ws.upload(file, on_progress=transfer(steps, f"uploading {name}"))
        steps.add(f"uploaded {name}")
    return placed(input, {place: urls[file] for place, file in files.items()})
