"""Runs on Ray Data. Their results are lists of rows."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    Rows = Sequence[dict[str, Any]]

WORKERS = 2
PARTITIONS = 8
# Use little of the machine: two workers, little memory, no dashboard, and only the loopback address.
SMALL = {
    "num_cpus": WORKERS,
    "include_dashboard": False,
    "log_to_driver": False,
    "logging_level": "ERROR",
    "object_store_memory": 80_000_000,
    "_node_ip_address": "127.0.0.1",
}


def killed(stage: Any, save: Any, rows: Rows) -> list[dict[str, Any]]:
    """Run both stages while workers are killed."""
    with dataset(rows) as data:
        return taken(mapped(mapped(data, stage), save))


def looked_at(stage: Any, save: Any, rows: Rows) -> list[dict[str, Any]]:
    """Inspect a dataset after the stage in four ways, each of which executes it again."""
    with dataset(rows) as data, tempfile.TemporaryDirectory() as folder:
        found = mapped(data, stage)
        found.schema()
        found.take(3)
        found.count()
        found.write_parquet(folder)
        return taken(import_module("ray").data.read_parquet(folder))


RUNS: dict[str, Callable[[Any, Any, Rows], list[dict[str, Any]]]] = {"killed": killed, "looked at": looked_at}


@contextmanager
def dataset(rows: Rows) -> Generator[Any]:
    """Start Ray and make a dataset. Stop Ray afterwards, and remove its files."""
    ray = import_module("ray")
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        ray.init(**SMALL, _temp_dir=folder)
        try:
            ray.data.DataContext.get_current().enable_progress_bars = False
            yield ray.data.from_items(list(rows), override_num_blocks=PARTITIONS)
        finally:
            ray.shutdown()


def mapped(data: Any, stage: Any) -> Any:
    """Return a dataset with a stage."""
    return data.map_batches(stage, batch_format="pyarrow", batch_size=None, num_cpus=1)


def taken(data: Any) -> list[dict[str, Any]]:
    """Return the rows of a dataset."""
    return [dict(row) for row in data.take_all()]
