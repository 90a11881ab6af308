"""Do one run on an engine: `runs.py ENGINE RUN BATCH guarded|unguarded COUNT FOLDER`.

It writes the rows to FOLDER/rows.json, and saves outputs in FOLDER/saved.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from stages import rows_of, stage
from wavespeed_client.distributed import Save

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    Rows = Sequence[dict[str, Any]]

WORKERS = 2
PARTITIONS = 8
# Use little of the machine: two workers, little memory, no dashboard, and only the loopback address.
SMALL_RAY = {
    "num_cpus": WORKERS,
    "include_dashboard": False,
    "log_to_driver": False,
    "logging_level": "ERROR",
    "object_store_memory": 80_000_000,
    "_node_ip_address": "127.0.0.1",
}
SMALL_DASK = {
    "n_workers": WORKERS,
    "threads_per_worker": 1,
    "host": "127.0.0.1",
    "dashboard_address": None,
    "silence_logs": "CRITICAL",
    "memory_limit": 0,
}


def main(engine: str, run: str, batch: str, kind: str, count: str, folder: str) -> None:
    made = stage(batch, f"{folder}/pids", guarded=kind == "guarded")
    check_pickle(made)
    rows = RUNS[engine, run](made, Save(f"{folder}/saved"), rows_of(int(count)))
    Path(folder, "rows.json").write_text(json.dumps(rows, default=str))


def check_pickle(made: object) -> None:
    """Raise an error if the pickled stage contains the key or the password.

    Raises:
        RuntimeError: It does, or one of them is not set.
    """
    pickled: bytes = import_module("cloudpickle").dumps(made)
    password = urlsplit(os.environ["WAVESPEED_JOURNAL"]).password or ""
    for secret in (os.environ["WAVESPEED_API_KEY"], password, unquote(password)):
        if not secret or secret.encode() in pickled:
            raise RuntimeError("A secret is missing in the environment, or is pickled.")


def killed_on_dask(stage: Any, save: Any, rows: Rows) -> Rows:
    """Run both stages while workers are killed."""
    dask, bags, distributed = (import_module(name) for name in ("dask", "dask.bag", "distributed"))
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 10}),
        distributed.LocalCluster(**SMALL_DASK) as cluster,
        distributed.Client(cluster),
    ):
        bag = bags.from_sequence(list(rows), npartitions=PARTITIONS)
        return list(bag.map_partitions(stage.rows).map_partitions(save.rows).compute())


def killed_on_ray(stage: Any, save: Any, rows: Rows) -> Rows:
    """Run both stages while workers are killed."""
    with ray_dataset(rows) as data:
        return list(mapped(mapped(data, stage), save).take_all())


def looked_at_on_ray(stage: Any, save: Any, rows: Rows) -> Rows:
    """Inspect a dataset after the stage in four ways, each of which executes it again."""
    with ray_dataset(rows) as data, tempfile.TemporaryDirectory() as folder:
        found = mapped(data, stage)
        found.schema()
        found.take(3)
        found.count()
        found.write_parquet(folder)
        return list(import_module("ray").data.read_parquet(folder).take_all())


RUNS: dict[tuple[str, str], Callable[[Any, Any, Rows], Rows]] = {
    ("dask", "killed"): killed_on_dask,
    ("ray", "killed"): killed_on_ray,
    ("ray", "looked at"): looked_at_on_ray,
}


@contextmanager
def ray_dataset(rows: Rows) -> Generator[Any]:
    """Start Ray and make a dataset. Stop Ray afterwards, and remove its files."""
    ray = import_module("ray")
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        ray.init(**SMALL_RAY, _temp_dir=folder)
        try:
            ray.data.DataContext.get_current().enable_progress_bars = False
            yield ray.data.from_items(list(rows), override_num_blocks=PARTITIONS)
        finally:
            ray.shutdown()


def mapped(data: Any, stage: Any) -> Any:
    """Return a dataset of Ray Data with a stage."""
    return data.map_batches(stage, batch_format="pyarrow", batch_size=None, num_cpus=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
