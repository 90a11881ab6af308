"""The CPU of a new process for an import and for the command line's help."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, ratios
from benchmarks.workers import FailedError, environment

if TYPE_CHECKING:
    from benchmarks.server import Server

EMPTY = ""
HTTPX = "import httpx"
PACKAGE = "import wavespeed_client"
CLIENT = "from wavespeed_client import WaveSpeed"
HELP = "from wavespeed_client.cli import main\nmain(['--help'])"
BARE_HELP = """
import click
program = click.version_option("1")(click.Group("program"))
for number in range(18):
    program.command(f"command{number}", help="Do one thing.")(lambda: None)
program.main(["--help"], standalone_mode=False)
"""
LOADED = f"""
import sys
{CLIENT}
print(sum(name.startswith("wavespeed_api.models.") for name in sys.modules))
"""


def startup(server: Server, folder: Path, rounds: int) -> dict[str, Figure]:
    """Compare new processes, in rounds of random order. The folder keeps their bytecode."""
    env = environment(server) | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    samples: dict[str, list[float]] = {program: [] for program in (EMPTY, HTTPX, PACKAGE, CLIENT, HELP, BARE_HELP)}
    rng = random.Random(7)  # noqa: S311 - the order of the rounds
    for number in range(-1, rounds):  # the first one writes the bytecode
        for program in rng.sample(sorted(samples), len(samples)):
            cpu = _cpu(program, env)
            if number >= 0:
                samples[program].append(cpu)
    package, client, httpx = (
        [value - empty for value, empty in zip(samples[program], samples[EMPTY], strict=True)]
        for program in (PACKAGE, CLIENT, HTTPX)
    )
    return {
        "import package": Figure.of(*ratios(package, httpx)),
        "import client": Figure.of(*ratios(client, httpx)),
        "models loaded": Figure.of(_models_loaded(env)),
        "help": Figure.of(*ratios(samples[HELP], samples[BARE_HELP])),
    }


def _cpu(program: str, env: dict[str, str]) -> float:
    with subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FailedError(f"{program!r} failed")
    return used.ru_utime + used.ru_stime


def _models_loaded(env: dict[str, str]) -> float:
    import wavespeed_api

    done = subprocess.run([sys.executable, "-c", LOADED], env=env, capture_output=True, text=True, check=True)
    folder = Path(wavespeed_api.__file__).parent / "models"
    return int(done.stdout) / sum(path.stem != "__init__" for path in folder.glob("*.py"))
