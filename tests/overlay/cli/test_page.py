"""The page "Command line" names every command. The tests of all pages check its transcripts."""

import re

from tests.overlay.cli.transcripts import PAGE
from wavespeed_client.cli.program import COMMANDS


def test_the_page_names_every_command() -> None:
    found = set(re.findall(r"`?wavespeed-client (\w+)|`(\w+)`", PAGE.read_text("utf-8")))
    words = {word for pair in found for word in pair} | {"completion"}
    assert words >= COMMANDS.keys()
