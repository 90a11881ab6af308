"""Measure how much memory one client needs for 200 MiB up and down: `transfers.py sync|async URL FOLDER`.

It is a program, because only a process of its own shows what a client needs.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path

from wavespeed_client import AsyncWaveSpeed, WaveSpeed

MIB = 1024 * 1024


def transfer(url: str, folder: Path) -> tuple[float, float]:
    """Return the MiB beyond those at the start, after the upload and after the download."""
    small, large = prepared(folder)
    with WaveSpeed("test-key", base_url=url) as ws:
        ws.download(ws.upload(small), small)
        before = peak()
        stored = ws.upload(large)
        up = peak() - before
        ws.download(stored, large)
        return up, peak() - before


async def transfer_async(url: str, folder: Path) -> tuple[float, float]:
    """Async transfer."""
    small, large = prepared(folder)
    async with AsyncWaveSpeed("test-key", base_url=url) as ws:
        await ws.download(await ws.upload(small), small)
        before = peak()
        stored = await ws.upload(large)
        up = peak() - before
        await ws.download(stored, large)
        return up, peak() - before


def prepared(folder: Path) -> tuple[Path, Path]:
    """Write a small file for a first transfer that is not measured, and a large one."""
    small, large = folder / "small.bin", folder / "large.bin"
    small.write_bytes(b"x")
    with large.open("wb") as file:
        file.truncate(200 * MIB)
    return small, large


def peak() -> float:
    """Return the most memory that this process has used, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss begins with what the parent process had used
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


if __name__ == "__main__":
    kind, url, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    print(json.dumps(transfer(url, folder) if kind == "sync" else asyncio.run(transfer_async(url, folder))))
