"""Environments that hold the wheel and what a user is advised to install, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from attrs import define, field

from tests.conftest import ROOT

LOCKS = [ROOT / "scripts" / name for name in ("requirements.txt", "docs.d/recipes.txt", "engines.d/requirements.txt")]


@define
class Environments:
    """Environments that are made on first use. Their libraries have the versions that are locked."""

    folder: Path
    wheel: Path
    _made: dict[frozenset[str], Path] = field(factory=dict, init=False)

    def python(self, needs: Iterable[str] = ()) -> Path:
        """Return the Python of an environment with the wheel and these requirements, as pip takes them."""
        key = frozenset(needs)
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def _make(self, needs: frozenset[str]) -> Path:
        place = self.folder / str(len(self._made))
        constraints = self.folder / "constraints.txt"
        constraints.write_text("\n".join(pins()))
        uv = [sys.executable, "-m", "uv", "--quiet", "--no-config"]
        run([*uv, "venv", "--python", sys.executable, str(place)])
        python = place / "bin" / "python"
        wanted = [str(self.wheel), *(need.replace("wavespeed-client", str(self.wheel)) for need in sorted(needs))]
        run([*uv, "pip", "install", "--python", str(python), "--constraint", str(constraints), *wanted])
        return python


def pins() -> list[str]:
    """Return the locked versions, as pip takes them: of a library in several locks, that of the first."""
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
