#!/usr/bin/env python3
"""Regenerate generated/wavespeed_api from spec/openapi.yaml.

    scripts/regenerate.py            write the package anew
    scripts/regenerate.py --check    write nothing; print what differs and exit 1 on drift

What the generated code would not carry out is refused, with its place in the spec. The package is built whole in a
folder beside its place and put there by two renames, so that an error or a kill at any step leaves a whole package
behind. Exit code 2 means that nothing changed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from generation.document import read_yaml
from generation.drift import differences, files
from generation.generator import ROOT, check_versions
from generation.package import build
from generation.placing import NEW, TARGET, alone, recover, swap
from generation.refusal import RegenerationError, one_line
from generation.table import PAGE, with_operations_table

SPEC = ROOT / "spec" / "openapi.yaml"


def main() -> int:
    arguments = read_arguments()
    if importlib.util.find_spec("openapi_python_client") is None:
        continue_in_own_environment()
    try:
        check_versions()
        return report_drift() if arguments.check else regenerate()
    except (RegenerationError, OSError) as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("interrupted")
    except Exception as error:
        return fail(f"this should not happen, and nothing was written: {error!r}")


class OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.exit(fail(f"{message}; see --help"))


def read_arguments() -> argparse.Namespace:
    parser = OneLineParser(description="Regenerate generated/wavespeed_api from spec/openapi.yaml.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the package differs")
    return parser.parse_args()


def fail(message: str) -> int:
    print(f"regenerate.py: {one_line(message)}", file=sys.stderr)
    return 2


def continue_in_own_environment() -> NoReturn:
    """Start again in .venv, which holds the pinned generator."""
    python = ROOT / ".venv" / "bin" / "python"
    installed = subprocess.run([ROOT / "scripts" / "install"], check=False)
    if installed.returncode or Path(sys.prefix) == ROOT / ".venv":
        sys.exit(fail("the generator could not be installed; see the output of scripts/install"))
    os.execv(python, [str(python), *sys.argv])


def regenerate() -> int:
    table = ROOT / PAGE
    with alone():
        recover()
        try:
            spec = read_yaml(SPEC, "spec/openapi.yaml")
            build(spec, NEW)
            page = with_operations_table(table.read_text("utf-8"), spec)
            swap()
        finally:
            shutil.rmtree(NEW, ignore_errors=True)
        if table.read_text("utf-8") != page:
            table.write_text(page, "utf-8")
    return 0


def report_drift() -> int:
    """Print what regenerating would change; 1 if it would change anything."""
    spec = read_yaml(SPEC, "spec/openapi.yaml")
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / TARGET.name
        build(spec, package)
        report = list(differences(files(package), files(TARGET)))
    page = (ROOT / PAGE).read_text("utf-8")
    if page != with_operations_table(page, spec):
        report.append(f"differs: {PAGE}, the table of operations")
    print("\n".join(report) if report else "generated/wavespeed_api is what spec/openapi.yaml gives")
    return 1 if report else 0


if __name__ == "__main__":
    sys.exit(main())
