#!/usr/bin/env python3
"""Regenerate generated/wavespeed_api from spec/openapi.yaml.

    scripts/regenerate.py            write the package
    scripts/regenerate.py --check    write nothing; print what differs and exit 1 on drift

A spec is refused if the generated code would not do what it says; the message names the place in the spec. The package
is built in a separate folder and put in place by two renames, so that a complete package remains after an error or a
kill at any step. Exit code 2 means that nothing changed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from environment import ROOT, OneLineParser, fail, need
from generation.document import read_yaml
from generation.generator import check_versions
from generation.package import build
from generation.placing import NEW, TARGET, alone, differences, recover, swap
from generation.refusal import SpecError, one_line
from generation.table import PAGE, with_operations_table

SPEC = ROOT / "spec" / "openapi.yaml"
TABLE = ROOT / PAGE


def main() -> int:
    parser = OneLineParser(description="Regenerate generated/wavespeed_api from spec/openapi.yaml.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the package differs")
    arguments = parser.parse_args()
    need("openapi_python_client")
    try:
        check_versions()
        return report_drift() if arguments.check else regenerate()
    except (SpecError, OSError) as error:
        fail(one_line(str(error)))
    except KeyboardInterrupt:
        fail("interrupted")
    except Exception as error:
        fail(one_line(f"this should not happen, and nothing was written: {error!r}"))


def regenerate() -> int:
    with alone():
        recover()
        try:
            spec = read_yaml(SPEC, "spec/openapi.yaml")
            build(spec, NEW)
            page = with_operations_table(TABLE.read_text("utf-8"), spec)
            swap()
        finally:
            shutil.rmtree(NEW, ignore_errors=True)
        if TABLE.read_text("utf-8") != page:
            TABLE.write_text(page, "utf-8")
    return 0


def report_drift() -> int:
    """Print what regenerating would change; return 1 if it would change anything."""
    spec = read_yaml(SPEC, "spec/openapi.yaml")
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / TARGET.name
        build(spec, package)
        report = list(differences(package))
    page = TABLE.read_text("utf-8")
    if page != with_operations_table(page, spec):
        report.append(f"differs: {PAGE}, the table of operations")
    print("\n".join(report) if report else "generated/wavespeed_api is what spec/openapi.yaml gives")
    return 1 if report else 0


if __name__ == "__main__":
    sys.exit(main())
