#!/usr/bin/env python3
"""Say what a change of the spec means for programs on the wire, and for programs that import the package.

    scripts/spec_diff.py OLD NEW                     OLD and NEW: files, or git revisions such as v0.1.0 or HEAD~1
    scripts/spec_diff.py OLD NEW --json              the same for programs
    scripts/spec_diff.py OLD NEW --fail-on major     exit with 1 if the verdict is major

Exit code 2 means that there is no verdict.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from typing import NoReturn

from regenerate import continue_in_own_environment


def main() -> int:
    arguments = read_arguments()
    if importlib.util.find_spec("openapi_python_client") is None or importlib.util.find_spec("griffe") is None:
        continue_in_own_environment()
    # Imported late: what they need is in the environment that is there by now.
    from compatibility.change import Level
    from compatibility.document import SpecError, load
    from compatibility.verdict import judge

    try:
        verdict = judge(load(arguments.old), load(arguments.new))
    except SpecError as error:
        return fail(str(error))
    print(json.dumps(verdict.as_json(), indent=2, ensure_ascii=False) if arguments.json else "\n".join(verdict.lines()))
    return int(arguments.fail_on is not None and verdict.level >= Level[arguments.fail_on.upper()])


class OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.exit(fail(f"{message}; see --help"))


def read_arguments() -> argparse.Namespace:
    parser = OneLineParser(description="Say what a change of the spec means.")
    parser.add_argument("old", metavar="OLD", help="a file, or a git revision such as v0.1.0 or HEAD~1")
    parser.add_argument("new", metavar="NEW", help="a file, or a git revision")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--fail-on", choices=["major", "minor"], help="exit with 1 if the verdict is this or worse")
    return parser.parse_args()


def fail(message: str) -> int:
    print(f"spec_diff.py: {' '.join(message.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
