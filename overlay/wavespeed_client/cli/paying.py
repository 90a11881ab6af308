"""One paid task, step by step: its input, its price, its submission, its end. The price is told before it is paid."""

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
    from .story import Story


def given_input(printer: Printer, ws: WaveSpeed, model: str, given: Iterable[str]) -> dict[str, Any]:
    """Return the input that was typed; the model's schema is asked for where it has a say.

    Raises:
        UsageError: It is none.
    """
    model_id(model)
    fields = [field_of(argument) for argument in given]
    facts = facts_for(printer, ws, model) if needs_schema(fields) else None
    return input_of(fields, facts)


def submitted(
    ws: WaveSpeed, story: Story, model: str, input: dict[str, Any], max_cost: float | None, webhook: str | None = None
) -> tuple[Price, Task]:
    """Upload the files of an input, tell what the task will cost, and submit it.

    Raises:
        CostLimitError: It costs more than the limit. Nothing was submitted.
        WaveSpeedError: See `WaveSpeed.submit`, and `WaveSpeed.price`, without which nothing is submitted.
    """
    sent = _with_urls(ws, story, input)
    story.now("asking for the price")
    price = ws.price(model, sent)
    if max_cost is not None:
        check_cost(price, max_cost)
    story.step(f"price {price_text(price)}")
    story.now("submitting")
    try:
        task = ws.submit(model, sent, webhook=webhook)
    except KeyboardInterrupt:
        story.step(
            "Interrupted while the task was submitted: it may have been taken. Look before you pay again: "
            f"wavespeed-client list --model {model}"
        )
        raise
    with _runs_on(story, task):
        story.step(f"task {task.id}")
    return price, task


def waited(ws: WaveSpeed, story: Story, task: Task | str, timeout: float | None) -> Task:
    """Wait for a task.

    Raises:
        TaskFailedError, TaskTimeoutError: See `WaveSpeed.wait`.
    """
    with _runs_on(story, task):
        story.now("waiting" if isinstance(task, str) else task.status)
        ended = ws.wait(task, timeout=timeout, on_update=lambda seen: story.now(seen.status))
    story.ended(ended.status)
    return ended


def saved(ws: WaveSpeed, story: Story, task: Task, folder: Path | None) -> list[Path]:
    """Save a task's outputs, if there is a folder for them."""
    return [] if folder is None else ws.save(task, folder, on_progress=transfer(story, "downloading"))


def checked_folder(folder: Path | None) -> Path | None:
    """Make the folder for outputs, before anything is paid.

    Raises:
        InvalidInputError: It cannot be made.
    """
    return None if folder is None else folder_at(folder)


def transfer(story: Story, what: str) -> Callable[[int, int | None], None]:
    """Return what tells a story how many bytes are done."""

    def told(done: int, total: int | None) -> None:
        story.now(f"{what} {100 * done // total} %" if total else f"{what} {done // 1024} KiB")

    return told


@contextmanager
def _runs_on(story: Story, task: Task | str) -> Generator[None]:
    try:
        yield
    except KeyboardInterrupt:
        story.step(f"The task runs on. Wait for it again: wavespeed-client wait {getattr(task, 'id', task)}")
        raise


def _with_urls(ws: WaveSpeed, story: Story, input: dict[str, Any]) -> dict[str, Any]:
    """Upload the files of an input, each once, and return the input with their URLs in place."""
    files = files_in(input)
    urls: dict[object, str] = {}
    for file in dict.fromkeys(files.values()):
        name = getattr(file, "name", "a file")
        urls[file] = ws.upload(file, on_progress=transfer(story, f"uploading {name}"))
        story.step(f"uploaded {name}")
    return placed(input, {place: urls[file] for place, file in files.items()})
