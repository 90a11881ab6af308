"""Bounded records, so that the stand-in can run for days."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .script import ScriptedTask

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")

KEPT = 10_000
# Dropping tasks takes milliseconds, so it is done once for this many.
TASKS_SPARED = KEPT // 10


def keep(record: list[T], new: T) -> list[T]:
    """Append to a list; drop and return the oldest items."""
    record.append(new)
    dropped = record[:-KEPT]
    del record[:-KEPT]
    return dropped


def keep_under(record: dict[K, T], key: K, new: T) -> None:
    """Add to a dictionary; drop the oldest items."""
    record[key] = new
    while len(record) > KEPT:
        del record[next(iter(record))]


def keep_task(tasks: dict[str, ScriptedTask], new: ScriptedTask) -> None:
    """Add a task; drop the oldest, first those that have ended: clients may still wait for the others."""
    tasks[new.id] = new
    if len(tasks) > KEPT + TASKS_SPARED:
        by_need = sorted(tasks.values(), key=lambda task: not task.ended)
        for task in by_need[:-KEPT]:
            del tasks[task.id]
