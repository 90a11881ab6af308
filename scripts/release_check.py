#!/usr/bin/env python3
"""Check that __version__ and CHANGELOG.md match what changed in the spec since the last release.

    scripts/release_check.py

The last release is the newest tag vX.Y.Z in this history or, without tags, the commit in which CHANGELOG.md's newest
section got its number. Exit code 1 means that they do not match, 2 that the last release cannot be read.
"""

from __future__ import annotations

import sys

from environment import ROOT, fail, need


def main() -> int:
    need("openapi_python_client", "griffe")
    # Imported late: only now are their dependencies certain to be installed.
    from compatibility.release import check
    from generation.refusal import SpecError

    try:
        findings = check(ROOT)
    except SpecError as error:
        fail(str(error))
    print("\n".join(findings.told), flush=True)
    for problem in findings.problems:
        print(f"release_check.py: {problem}", file=sys.stderr)
    return 1 if findings.problems else 0


if __name__ == "__main__":
    sys.exit(main())
