"""How long it takes to generate the client from the spec."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from statistics import median

from report import Section

ROOT = Path(__file__).resolve().parents[2]


def regeneration(rounds: int) -> Section:
    """Seconds that scripts/regenerate.py --check takes, which generates everything and writes nothing."""
    command = [str(ROOT / ".venv" / "bin" / "python"), str(ROOT / "scripts" / "regenerate.py"), "--check"]
    seconds: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    rows = [(f"{median(seconds):.1f} s", f"{min(seconds):.1f}-{max(seconds):.1f} s")]
    note = f"`scripts/regenerate.py --check`, {rounds} times."
    return Section("Regeneration", note, ("median", "all"), rows, {"regeneration": median(seconds)})
