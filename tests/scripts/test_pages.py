"""Every program of the pages is run against the stand-in, as the README's are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scripts.written import write_models
from wavespeed_client.testing import FakeWaveSpeed

PAGES = sorted((ROOT / "overlay" / "docs").glob("*.md"))


def programs(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(program, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, program in enumerate(programs(page))
    ],
)
def test_programs_run(fake: FakeWaveSpeed, tmp_path: Path, program: str, request: pytest.FixtureRequest) -> None:
    environment = {**os.environ, "WAVESPEED_API_KEY": fake.api_key, "WAVESPEED_BASE_URL": fake.url}
    environment["TQDM_DISABLE"] = "1"  # its bars would be on stderr
    write_models(program, tmp_path, environment)
    if "WAVESPEED_JOURNAL" in program:
        environment["WAVESPEED_JOURNAL"] = request.getfixturevalue("empty_database")
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert done.stderr == ""
    assert fake.requests
