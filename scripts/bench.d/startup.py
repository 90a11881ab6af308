"""What an import costs, a program that makes one submission, and the command line's help: CPU of a fresh process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from ratios import ratio
from report import Section
from workers import environment

if TYPE_CHECKING:
    from server import Server

HERE = Path(__file__).parent

EMPTY = "an empty program"
HTTPX = "import httpx"
PACKAGE = "import wavespeed_client"
CLIENT = "from wavespeed_client import WaveSpeed"
HELP = "wavespeed-client --help"
BARE_HELP = "the help of a bare click program"
FIRST_CALLS = ("httpx", "ours", "requests.Session", "runwayml", "official")
HELPS = {
    HELP: "from wavespeed_client.cli import main\nmain(['--help'])",
    BARE_HELP: """
import click
program = click.version_option("1")(click.Group("program"))
for number in range(18):
    program.command(f"command{number}", help="Do one thing.")(lambda: None)
program.main(["--help"], standalone_mode=False)
""",
}
LOADED = """
import sys
from wavespeed_client import WaveSpeed
print(sum(name.startswith("wavespeed_api.models.") for name in sys.modules))
"""


def programs(url: str) -> dict[str, str]:
    imports = (
        HTTPX,
        PACKAGE,
        CLIENT,
        "from wavespeed_client import AsyncWaveSpeed",
        "import aiohttp",
        "import requests",
        "import runwayml",
        "import wavespeed",
    )
    first = "import candidates\ntry: candidates.SYNC[{!r}]({!r})()\nexcept candidates.AbsentError: raise SystemExit(3)"
    calls = {f"one submission, {name}": first.format(name, url) for name in FIRST_CALLS}
    return {EMPTY: "", **{line: line for line in imports}, **calls, **HELPS}


def startup(server: Server, folder: Path, rounds: int) -> Section:
    """The CPU of fresh processes, in rounds of random order. Their bytecode is kept in the folder."""
    env = environment(server) | {"PYTHONPATH": str(HERE), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    found = programs(server.plain)
    samples: dict[str, list[float]] = {name: [] for name in found}
    rng = random.Random(7)  # noqa: S311 - the order of the rounds
    for number in range(-1, rounds):  # the first one writes the bytecode
        for name in rng.sample(sorted(found), len(found)):
            cpu = _cpu(found[name], env)
            if cpu is None:
                samples.pop(name, None)
            elif number >= 0 and name in samples:
                samples[name].append(cpu)
    package, client, httpx = (_beyond(samples[name], samples[EMPTY]) for name in (PACKAGE, CLIENT, HTTPX))
    rows = [
        (name, str(ratio(values, samples[HTTPX])), f"{median(values) * 1000:.0f} ms")
        for name, values in samples.items()
    ]
    rows.append((f"{CLIENT}, the import alone", str(ratio(client, httpx)), f"{median(client) * 1000:.0f} ms"))
    findings = {
        "import package": ratio(package, httpx).median,
        "import client": ratio(client, httpx).median,
        "models loaded": _models_loaded(env),
        "help": ratio(samples[HELP], samples[BARE_HELP]).median,
    }
    note = f"{rounds} rounds, each in a fresh process: the start of Python is included, compiling is not."
    return Section("Start-up", note, ("program", "CPU to `import httpx`", "CPU"), rows, findings)


def _beyond(values: list[float], empty: list[float]) -> list[float]:
    return [value - other for value, other in zip(values, empty, strict=True)]


def _cpu(program: str, env: dict[str, str]) -> float | None:
    with subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime if process.returncode == 0 else None


def _models_loaded(env: dict[str, str]) -> float:
    import wavespeed_api

    done = subprocess.run([sys.executable, "-c", LOADED], env=env, capture_output=True, text=True, check=True)
    folder = Path(wavespeed_api.__file__).parent / "models"
    return int(done.stdout) / sum(path.stem != "__init__" for path in folder.glob("*.py"))
