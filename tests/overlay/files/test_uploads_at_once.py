"""Files inside inputs of concurrent submissions: shared, four at a time, and with flat memory."""

import asyncio
import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, both_transports
from tests.overlay.files.conftest import Storage
from tests.overlay.files.uploading import MODEL, Image, stored, tickets
from wavespeed_client import (
    AsyncWaveSpeed,
    WaveSpeed,
)
from wavespeed_client.files.upload import CHUNK, LARGEST_UPLOAD
from wavespeed_client.files.uploads import AT_ONCE
from wavespeed_client.testing import FakeWaveSpeed

pytestmark = pytest.mark.promise("files-first")


def submissions_at_once(fake: FakeWaveSpeed, engine: str, inputs: list[Any], transport: Any = "httpx") -> None:
    """Submit inputs, each from its own thread or asyncio task, with one client."""
    if engine == "sync":
        with WaveSpeed(fake.api_key, base_url=fake.url) as ws, ThreadPoolExecutor(len(inputs)) as threads:
            list(threads.map(lambda given: ws.submit(MODEL, given), inputs))
        return

    async def submit() -> None:
        async with AsyncWaveSpeed(fake.api_key, base_url=fake.url, transport=transport) as ws:
            await asyncio.gather(*(ws.submit(MODEL, given) for given in inputs))

    asyncio.run(submit())


@both_transports
@pytest.mark.parametrize("engine", ["sync", "async"])
def test_submissions_at_once_share_an_upload_and_an_open_file(fake: FakeWaveSpeed, engine: str, transport: str) -> None:
    shared, other = io.BytesIO(bytes(CHUNK + 1)), io.BytesIO(b"other")
    images = [Image("PNG", b"%d" % number) for number in range(3)]
    inputs = [{"a": shared, "b": [other, images[number % 3]], "n": number} for number in range(12)]
    inputs += [{"b": [shared], "a": other, "c": images, "n": number} for number in range(12, 24)]
    submissions_at_once(fake, engine, inputs, transport)
    assert sorted(map(len, fake.files.values())) == [4, 4, 4, 5, CHUNK + 1]
    assert len(tickets(fake)) == 5
    for call in fake.calls:
        number = call.input["n"]
        urls = [call.input["a"], call.input["b"][0]]
        assert [stored(fake, url) for url in urls[:: 1 if number < 12 else -1]] == [bytes(CHUNK + 1), b"other"]
    assert len(fake.calls) == 24


class Waiting(io.BytesIO):
    """A file whose upload waits until this many run at once."""

    def __init__(self, content: bytes, at_once: threading.Barrier) -> None:
        super().__init__(content)
        self.at_once, self.reads = at_once, 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        if self.reads == 6:  # the upload's first read, after those of its kind and its digest
            self.at_once.wait(60)
        return super().read(size)


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_file_of_200_mib_in_an_input_passes_in_flat_memory(fake: FakeWaveSpeed, tmp_path: Path, engine: str) -> None:
    (tmp_path / "small").write_bytes(b"x")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST_UPLOAD)
    done = subprocess.run([sys.executable, "-c", MEMORY, engine, fake.url, tmp_path], capture_output=True, check=False)
    assert done.stderr == b""
    assert float(done.stdout) < 20
    assert [len(stored(fake, call.input["video"])) for call in fake.calls] == [1, LARGEST_UPLOAD]


MEMORY = f"""
import asyncio, sys
from pathlib import Path
sys.path.append({str(ROOT)!r})
from tests.overlay.files.transfers import peak
from wavespeed_client import AsyncWaveSpeed, WaveSpeed

engine, url, folder = sys.argv[1:]
if engine == "sync":
    with WaveSpeed("test-key", base_url=url) as ws:
        ws.submit("a/b", {{"video": Path(folder, "small")}})
        before = peak()
        ws.submit("a/b", {{"video": Path(folder, "large")}})
else:
    async def main():
        global before
        async with AsyncWaveSpeed("test-key", base_url=url) as ws:
            await ws.submit("a/b", {{"video": Path(folder, "small")}})
            before = peak()
            await ws.submit("a/b", {{"video": Path(folder, "large")}})
    asyncio.run(main())
print(peak() - before)
"""


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_four_files_are_uploaded_at_once(fake: FakeWaveSpeed, engine: str) -> None:
    barrier = threading.Barrier(AT_ONCE)  # breaks, and with it the upload, if there are fewer
    files = [Waiting(b"%d" % number, barrier) for number in range(2 * AT_ONCE)]
    submissions_at_once(fake, engine, [{"images": files}])
    assert sorted(fake.files.values()) == [b"%d" % number for number in range(2 * AT_ONCE)]


def test_a_cancelled_upload_leaves_an_open_file_where_it_stood(fake: FakeWaveSpeed, storage: Storage) -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reading.set()
            go_on.wait(60)
            return super().read(size)

    file = Slow(bytes(3 * CHUNK))

    async def run() -> None:
        async with AsyncWaveSpeed(fake.api_key, base_url=fake.url) as ws:
            task = asyncio.create_task(ws.submit(MODEL, {"image": file}))
            await asyncio.to_thread(reading.wait, 10)
            task.cancel()
            await asyncio.sleep(0)
            assert not task.done()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert file.tell() == 0
            await ws.submit(MODEL, {"image": file})

    asyncio.run(run())
    assert list(fake.files.values()) == [bytes(3 * CHUNK)]
    assert len(fake.calls) == 1
