"""What the scripts share: the project's folder, the environment that they run in, and how they report errors."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent


def need(*modules: str) -> None:
    """Start the program again in .venv, unless this environment has the modules that it needs."""
    if all(importlib.util.find_spec(each) for each in modules):
        return
    installed = subprocess.run([ROOT / "scripts" / "install"], check=False)
    if installed.returncode or Path(sys.prefix) == ROOT / ".venv":
        fail("its packages could not be installed; see the output of scripts/install")
    python = ROOT / ".venv" / "bin" / "python"
    os.execv(python, [str(python), *sys.argv])


def fail(message: str) -> NoReturn:
    """Print one line, and exit with 2."""
    print(f"{Path(sys.argv[0]).name}: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


class OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        fail(f"{message}; see --help")
