"""SIGKILL at 20 moments of batches with files in their inputs: each input is sent once, each file once a run.

The service is the one of `test_resume`, which takes uploads besides. The name of a file says the run, the number of the
file and that of the process: what a process had sent may arrive after it was killed.
"""

from __future__ import annotations

import asyncio
import io
import json
import multiprocessing
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.conftest import collected
from tests.overlay.batch.test_resume import LOADED, HurriedClock, Killer, Service, killed
from tests.servers.faults import envelope, in_thread, send
from wavespeed_client import AsyncWaveSpeed, Outcome, WaveSpeed
from wavespeed_client.files import uploads

pytestmark = pytest.mark.promise("batch-files")

PRELOADED = (*LOADED, uploads)

MODEL = "provider/model"
KILLS = 10
KILLS_EACH = 5
INPUTS = 40
FILES = 10
REQUESTS = 3 * INPUTS + 2 * FILES
IN_FLIGHT = 4
AT_ONCE = 4


class Opened(io.BytesIO):
    """An open file that needs no closing."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.read_bytes())
        self.name = path.name


def inputs(folder: Path, run: str, process: int) -> list[dict[str, Any]]:
    """Return the inputs of a run. Each has one of ten files, a third of them open, and another one nested."""
    paths = [folder / f"{run}.{number}.{process}" for number in range(FILES)]
    for number, path in enumerate(paths):
        path.write_bytes(f"{run} {number}".encode())
    opened = [*map(Opened, paths)]
    return [
        {
            "prompt": f"{run} {number}",
            "image": (opened if number % 3 == 0 else paths)[number % FILES],
            "loras": [{"path": paths[number // 4]}],
        }
        for number in range(INPUTS)
    ]


def carry_out(kind: str, url: str, folder: Path, run: str, process: int) -> list[Outcome]:
    """Do a run to its end, unless the process is killed first."""
    given = inputs(folder, run, process)
    options = {"max_in_flight": IN_FLIGHT, "journal": folder / f"{run}.jsonl"}
    if kind == "sync":
        with WaveSpeed("test-key", base_url=url) as ws:
            ws._clock = HurriedClock()
            return list(ws.run_many(MODEL, given, **options))

    async def carry_out_async() -> list[Outcome]:
        async with AsyncWaveSpeed("test-key", base_url=url) as ws:
            ws._clock = HurriedClock()
            return await collected(ws.run_many(MODEL, given, **options))

    return asyncio.run(carry_out_async())


@define
class StoringService(Service):
    """A service that also accepts uploads. It counts those of each file, and keeps the file's URLs."""

    uploaded: Counter[str] = field(factory=Counter)
    urls: dict[str, str] = field(factory=dict)

    async def respond(self, method: str, path: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        if path.startswith("/put/"):
            name, data = path.removeprefix("/put/").partition("/")[0], {}
        elif path.endswith("/media/uploads"):
            name = json.loads(body)["filename"]
            data = self.ticket(name)
        else:
            if body:
                self.check(json.loads(body))
                body = json.dumps({**json.loads(body), "run": json.loads(body)["prompt"].partition(" ")[0]}).encode()
            await super().respond(method, path, body, writer)
            return
        run = name.partition(".")[0]
        killer = self.killers.get(run, Killer(0, "", 0.0))
        await killer.strike("before")
        if not data:
            self.uploaded[name] += 1
            self.urls[f"{self.url}/got/{path.removeprefix('/put/')}"] = name
        await send(writer, 200, envelope(data))
        await killer.strike("after")

    def ticket(self, name: str) -> dict[str, Any]:
        place = f"{name}/{next(self._numbers)}"
        upload = {"method": "PUT", "url": f"{self.url}/put/{place}", "headers": {}, "expires_at": None}
        return {
            "type": "image",
            "download_url": f"{self.url}/got/{place}",
            "filename": name,
            "size": 1,
            "upload": upload,
        }

    def check(self, given: dict[str, Any]) -> None:
        run, _, number = given["prompt"].partition(" ")
        assert self.urls[given["image"]].startswith(f"{run}.{int(number) % FILES}.")
        assert self.urls[given["loras"][0]["path"]].startswith(f"{run}.{int(number) // 4}.")


@pytest.fixture(scope="module")
def service() -> Iterator[StoringService]:
    with in_thread(StoringService()) as service:
        yield service


def tormented(service: StoringService, kind: str, folder: Path, run: str) -> tuple[int, list[Outcome]]:
    """Kill a run again and again, each time at a random later request; return how often, and the final outcomes."""
    dice, kills = random.Random(run), 0
    while kills < KILLS_EACH:
        place, delay = dice.choice(["before", "after"]), dice.choice([0.0, dice.random() * 0.01])
        killer = Killer(dice.randint(1, REQUESTS // (KILLS_EACH + 1)), place, delay)
        if not killed(service, run, killer, carry_out, kind, service.url, folder, run, kills):
            break
        kills += 1
    return kills, carry_out(kind, service.url, folder, run, KILLS_EACH)


def check(service: StoringService, run: str, outcomes: list[Outcome], kills: int) -> None:
    """Compare a run with what has arrived."""
    assert sorted(outcome.index for outcome in outcomes) == list(range(INPUTS))
    lost = {outcome.input["prompt"] for outcome in outcomes if outcome.uncertain}
    assert len(lost) <= kills * IN_FLIGHT
    for outcome in outcomes:
        prompt = outcome.input["prompt"]
        if prompt in lost:
            assert service.arrived[prompt] <= 1
            assert outcome.error.input["image"] in service.urls
        else:
            assert outcome.error is None
            assert service.arrived[prompt] == 1
            assert service.tasks[outcome.task.id] == prompt
    counts = {name: count for name, count in service.uploaded.items() if name.startswith(f"{run}.")}
    assert set(counts.values()) == {1}
    assert {name.rpartition(".")[0] for name in counts} == {f"{run}.{number}" for number in range(FILES)}
    assert len(counts) <= FILES + kills * 2 * IN_FLIGHT  # only outcomes whose line was not written yet come again


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_killed_batches_with_files_submit_each_input_once_and_upload_each_file_once_per_run(
    service: StoringService, tmp_path: Path, kind: str, record_property: Any
) -> None:
    multiprocessing.get_context("forkserver").set_forkserver_preload([__name__])
    kills = runs = again = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while kills < KILLS:
            names = [f"{kind}{runs + number}" for number in range(-(-(KILLS - kills) // KILLS_EACH))]
            done = pool.map(lambda run: tormented(service, kind, tmp_path, run), names)
            for run, (count, outcomes) in zip(names, done, strict=True):
                kills += count
                check(service, run, outcomes, count)
                again += sum(name.startswith(f"{run}.") for name in service.uploaded) - FILES
            runs += len(names)
            assert runs <= KILLS
    record_property("files_kills", kills)
    record_property("files_again", again)
