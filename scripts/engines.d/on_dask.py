"""Runs on Dask. Their results are lists of rows."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Rows = Sequence[dict[str, Any]]

WORKERS = 2
PARTITIONS = 8
ALLOWED_FAILURES = 10


def killed(stage: Any, save: Any, rows: Rows) -> list[dict[str, Any]]:
    """Run both stages while workers are killed."""
    dask, bags, distributed = (import_module(name) for name in ("dask", "dask.bag", "distributed"))
    settings = {
        "n_workers": WORKERS,
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": None,
        "silence_logs": "CRITICAL",
        "memory_limit": 0,
    }
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": ALLOWED_FAILURES}),
        distributed.LocalCluster(**settings) as cluster,
        distributed.Client(cluster),
    ):
        bag = bags.from_sequence(list(rows), npartitions=PARTITIONS)
        return list(bag.map_partitions(stage.rows).map_partitions(save.rows).compute())


RUNS: dict[str, Callable[[Any, Any, Rows], list[dict[str, Any]]]] = {"killed": killed}
