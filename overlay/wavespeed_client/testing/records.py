"""Records: what the stand-in keeps, the newest of each kind, so that it can run for days."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .script import ScriptedTask

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")

KEPT = 10_000
# Tasks are looked through now and then only: that takes milliseconds.
TASKS_SPARED = KEPT // 10


def keep(record: list[T], new: T) -> list[T]:
    """Add to a list, and return what had to go for it."""
    record.append(new)
    gone = record[:-KEPT]
    del record[:-KEPT]
    return gone


def keep_under(record: dict[K, T], key: K, new: T) -> None:
    """Add to a dictionary, and let the oldest go."""
    record[key] = new
    while len(record) > KEPT:
        del record[next(iter(record))]


def keep_task(tasks: dict[str, ScriptedTask], new: ScriptedTask) -> None:
    """Add a task, and let the oldest go, those that have ended first: somebody may wait for the others."""
    tasks[new.id] = new
    if len(tasks) > KEPT + TASKS_SPARED:
        by_need = sorted(tasks.values(), key=lambda task: not task.ended)
        for task in by_need[:-KEPT]:
            del tasks[task.id]
