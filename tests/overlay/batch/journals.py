"""Journals for tests: written by hand, and read line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wavespeed_client.batch.lines import header_for

MODEL = "wavespeed-ai/flux-dev"
BASE_URL = "https://api.wavespeed.ai"
HEADER = header_for(BASE_URL)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def events(path: Path) -> dict[int, list[str]]:
    """Return what happened to each input."""
    found: dict[int, list[str]] = {}
    for line in lines(path)[1:]:
        found.setdefault(line["number"], []).append(line["event"])
    return found


def written(path: Path, *records: dict[str, Any], tail: bytes = b"", base_url: str = BASE_URL) -> None:
    text = b"".join(
        json.dumps({"at": "2026-11-22T10:00:00.000+00:00", **record}).encode() + b"\n" for record in records
    )
    path.write_bytes(header_for(base_url) + text + tail)


PLANNED = {"number": 1, "event": "planned", "model": MODEL, "input": {"tag": "t0"}}
SUBMITTING = {"number": 1, "event": "submitting"}
SUBMITTED = {"number": 1, "event": "submitted", "task": {"id": "t0-0", "status": "created"}}
