"""Build the site from the pages with Zensical in strict mode, and refuse pages that fetch from other hosts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import gather
import offline

BUILD = gather.ROOT / ".docs"
SITE = gather.ROOT / "site"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def main() -> int:
    try:
        gather.gather(BUILD)
    except gather.LinkError as error:
        return fail([str(error)])
    # Without --clean it takes pages with earlier warnings from its cache, and succeeds.
    zensical = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "--config-file"]
    done = subprocess.run(
        [*zensical, str(BUILD / "zensical.toml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    said = _COLOUR.sub("", done.stdout).partition("Traceback")[0].splitlines()
    docstrings = [line for line in said if line.startswith("griffe:")]
    if done.returncode or docstrings:
        return fail(said)
    if fetches := offline.fetches(BUILD / "site"):
        return fail(fetches)
    shutil.rmtree(SITE, ignore_errors=True)
    (BUILD / "site").rename(SITE)
    print("site/index.html: no link is broken; for its search: python3 -m http.server --directory site")
    return 0


def fail(lines: list[str]) -> int:
    print("\n".join([*lines, "scripts/docs: the site was not built"]), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
