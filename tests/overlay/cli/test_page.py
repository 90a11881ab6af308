"""The page "Command line" shows what its commands print."""

import re
import shutil
from pathlib import Path

import pytest

from tests.overlay.cli.transcripts import PAGE, made
from wavespeed_client.cli.program import COMMANDS
from wavespeed_client.testing import FakeWaveSpeed


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_transcripts_are_what_the_commands_print(fake: FakeWaveSpeed, tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    assert made(page, fake, tmp_path) == page


def test_every_command_is_told_of() -> None:
    told = set(re.findall(r"`?wavespeed-client (\w+)|`(\w+)`", PAGE.read_text("utf-8")))
    words = {word for pair in told for word in pair} | {"completion"}
    assert words >= COMMANDS.keys()
