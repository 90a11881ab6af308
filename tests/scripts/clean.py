"""Environments with the wheel and what a page says to install, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen
from filelock import FileLock

from tests.conftest import ROOT

LOCKS = [ROOT / "scripts" / name for name in ("requirements.txt", "docs.d/recipes.txt", "engines.d/requirements.txt")]


@frozen
class Environments:
    """Environments that are made on first use, by whichever process needs them first.

    Their libraries have the versions that are locked.
    """

    folder: Path
    wheel: Path

    def python(self, needs: Iterable[str] = ()) -> Path:
        """Return the Python of an environment with the wheel and these requirements, as pip takes them."""
        wanted = sorted(set(needs))
        name = "-".join(["clean", *(re.sub(r"[^a-z]+", "-", need.removeprefix("wavespeed-client")) for need in wanted)])
        place = self.folder / name
        with FileLock(f"{place}.lock"):
            if not (place / "made").exists():
                self._make(place, wanted)
                (place / "made").touch()
        return place / "bin" / "python"

    def _make(self, place: Path, needs: list[str]) -> None:
        constraints = place.with_suffix(".txt")
        constraints.write_text("\n".join(pins()))
        uv = [sys.executable, "-m", "uv", "--quiet", "--no-config"]
        run([*uv, "venv", "--clear", "--python", sys.executable, str(place)])
        wanted = [str(self.wheel), *(need.replace("wavespeed-client", str(self.wheel)) for need in needs)]
        run([*uv, "pip", "install", "--python", str(place / "bin/python"), "--constraint", str(constraints), *wanted])


def pins() -> list[str]:
    """Return the locked versions, as pip takes them. If a library is in several locks, the first one counts."""
    found: dict[str, list[str]] = {}
    for lock in LOCKS:
        new: dict[str, list[str]] = {}
        for pin in re.findall(r"^([\w.-]+==.*?) *\\?$", lock.read_text("utf-8"), re.MULTILINE):
            new.setdefault(pin.partition("==")[0], []).append(pin)
        found = new | found
    return [pin for held in found.values() for pin in held]


def run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def within(python: Path, **variables: str) -> dict[str, str]:
    """Return the variables of a shell in which this environment is active."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"} | variables
