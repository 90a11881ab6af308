"""Memory while large files go up and down, and how long the event loop is held meanwhile.

transfers.py KIND URL FOLDER MIBS measures one kind of client, in a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import resource
import subprocess
import sys
from pathlib import Path

from report import Section
from wavespeed_client import AsyncWaveSpeed, WaveSpeed
from wavespeed_client.testing import FakeWaveSpeed

KINDS = ("sync", "async")
MIB = 1024 * 1024


def transfers(folder: Path, mibs: int) -> Section:
    """Each kind of client against a stand-in on this machine."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    rows: list[tuple[str, ...]] = []
    with FakeWaveSpeed() as fake:
        for kind in KINDS:
            command = [sys.executable, __file__, kind, fake.url, str(folder), str(mibs)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            up, down, hold = json.loads(done.stdout)
            held = "" if hold is None else f"{hold * 1000:.0f} ms"
            rows.append((kind, f"{up:.1f} MiB", f"{down:.1f} MiB", held))
            fake.reset()
    note = f"{mibs} MiB against a stand-in on this machine, each kind of client in a process of its own."
    header = ("client", "memory beyond the start, upload", "and download", "longest hold of the event loop")
    return Section("Upload and download", note, header, rows)


def measure(url: str, folder: Path, mibs: int) -> tuple[float, float, None]:
    """MiB beyond the start after the upload and after the download."""
    small, large = prepared(folder, mibs)
    with WaveSpeed("test-key", base_url=url) as ws:
        ws.download(ws.upload(small), small)
        before = peak()
        stored = ws.upload(large)
        up = peak() - before
        ws.download(stored, large)
        return up, peak() - before, None


async def measure_async(url: str, folder: Path, mibs: int) -> tuple[float, float, float]:
    """The same, and the longest time in seconds for which the event loop did not turn."""
    small, large = prepared(folder, mibs)
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


def prepared(folder: Path, mibs: int) -> tuple[Path, Path]:
    """A file that warms everything up, and a large one."""
    small, large = folder / "small.bin", folder / "large.bin"
    small.write_bytes(b"x")
    with large.open("wb") as file:
        file.truncate(mibs * MIB)
    return small, large


def peak() -> float:
    """The most memory that this process has used, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss begins with what the parent process had used
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def main() -> None:
    kind, url, folder, mibs = sys.argv[1:]
    if kind == "sync":
        print(json.dumps(measure(url, Path(folder), int(mibs))))
    else:
        print(json.dumps(asyncio.run(measure_async(url, Path(folder), int(mibs)))))


if __name__ == "__main__":
    main()
