#!/usr/bin/env python3
"""Say what a change of the spec means for programs that call the API, and for programs that import the package.

    scripts/spec_diff.py OLD NEW                     OLD and NEW: files, or git revisions such as v0.1.0 or HEAD~1
    scripts/spec_diff.py OLD NEW --json              print the report as JSON
    scripts/spec_diff.py OLD NEW --fail-on major     exit with 1 if the verdict is major

Exit code 2 means that there is no verdict.
"""

from __future__ import annotations

import json
import sys

from environment import OneLineParser, fail, need


def main() -> int:
    parser = OneLineParser(description="Say what a change of the spec means for users.")
    parser.add_argument("old", metavar="OLD", help="a file, or a git revision such as v0.1.0 or HEAD~1")
    parser.add_argument("new", metavar="NEW", help="a file, or a git revision")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--fail-on", choices=["major", "minor"], help="exit with 1 if the verdict is this or worse")
    arguments = parser.parse_args()
    need("openapi_python_client", "griffe")
    # Imported late: only now are their dependencies certain to be installed.
    from compatibility.change import Level
    from compatibility.document import load
    from compatibility.verdict import judge
    from generation.refusal import SpecError

    try:
        verdict = judge(load(arguments.old), load(arguments.new))
    except SpecError as error:
        fail(str(error))
    print(json.dumps(verdict.as_json(), indent=2, ensure_ascii=False) if arguments.json else "\n".join(verdict.lines()))
    return int(arguments.fail_on is not None and verdict.level >= Level[arguments.fail_on.upper()])


if __name__ == "__main__":
    sys.exit(main())
