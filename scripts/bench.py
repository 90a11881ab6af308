"""Measure memory while 200 MiB go up and down, and how long the event loop is held meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from wavespeed_client import AsyncWaveSpeed, WaveSpeed
from wavespeed_client.testing import FakeWaveSpeed

KINDS = ("sync", "async")
SIZE = 200 * 1024 * 1024


def main() -> int:
    if sys.argv[1:2] == ["--measure"]:
        _, _, kind, url, folder = sys.argv
        found = measure(url, Path(folder)) if kind == "sync" else asyncio.run(measure_async(url, Path(folder)))
        print(json.dumps(found))
        return 0
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    print("200 MiB against a stand-in on this machine, each kind of client in a process of its own")
    print("| client | memory beyond the start, upload | and download | longest hold of the event loop |")
    print("| --- | --- | --- | --- |")
    with FakeWaveSpeed() as fake, tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            command = [sys.executable, __file__, "--measure", kind, fake.url, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            up, down, hold = json.loads(done.stdout)
            held = "none" if hold is None else f"{hold * 1000:.0f} ms"
            print(f"| {kind} | {up:.1f} MiB | {down:.1f} MiB | {held} |")
            fake.reset()
    return 0


def measure(url: str, folder: Path) -> tuple[float, float, None]:
    """MiB beyond the start after the upload and after the download."""
    small, large = prepared(folder)
    with WaveSpeed("test-key", base_url=url) as ws:
        ws.download(ws.upload(small), small)
        before = peak()
        stored = ws.upload(large)
        up = peak() - before
        ws.download(stored, large)
        return up, peak() - before, None


async def measure_async(url: str, folder: Path) -> tuple[float, float, float]:
    """The same, and the longest time in seconds for which the event loop did not turn."""
    small, large = prepared(folder)
    async with AsyncWaveSpeed("test-key", base_url=url) as ws:
        await ws.download(await ws.upload(small), small)
        before = peak()
        holds: list[float] = []
        watching = asyncio.create_task(watch(holds))
        stored = await ws.upload(large)
        up = peak() - before
        await ws.download(stored, large)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        return up, peak() - before, max(holds)


async def watch(holds: list[float], pause: float = 0.01) -> None:
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(pause)
        holds.append(loop.time() - before - pause)


def prepared(folder: Path) -> tuple[Path, Path]:
    """A file that warms everything up, and a large one."""
    small, large = folder / "small.bin", folder / "large.bin"
    small.write_bytes(b"x")
    with large.open("wb") as file:
        file.truncate(SIZE)
    return small, large


def peak() -> float:
    """The most memory that this process has used, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss begins with what the parent process had used
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)


if __name__ == "__main__":
    sys.exit(main())
