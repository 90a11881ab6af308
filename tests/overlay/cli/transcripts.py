"""Make the transcripts of the page "Command line" by running its commands.

`python -m tests.overlay.cli.transcripts` rewrites the page.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from wavespeed_client.testing import FakeWaveSpeed

PAGE = Path(__file__).resolve().parents[3] / "overlay" / "docs" / "command-line.md"
PROMPTS = 'prompt\nA red bicycle\nA blue bicycle\n"A bicycle, green"\n'
IDS = ("6f1d3c2b9a8e47f0b5d4c3a2918f7e6d", "0c7e5a41d2b94f638a1be0f29d47c853", "b39a60f7e1c84d25927f5c08ad61e3f4")
MORE_IDS = ("58d2f4a9037b4ce1a6e83b9c1f72d06e", "e4170b8cd53f4a299c6d21f8b07e935a", "9a2c6e0f48b7451d83f5c7e16d90b2a4")

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b[0-9a-f]{32}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(?=\+00:00|Z)")


def made(page: str, fake: FakeWaveSpeed, folder: Path, python: Path) -> str:
    """Return the page with what its commands print now, under this Python."""
    (folder / "prompts.csv").write_text(PROMPTS)
    program = folder / "wavespeed-client"
    program.write_text(f"#!{python}\nimport sys\nfrom wavespeed_client.cli import main\nsys.exit(main())\n")
    program.chmod(0o755)
    names: dict[str, str] = {}

    def transcript(block: re.Match[str]) -> str:
        commands = [line for line in block[1].splitlines() if line.startswith("$ ")]
        shown = [f"{command}\n{_printed(command[2:], fake, folder)}" for command in commands]
        return f"```console\n{''.join(shown)}```"

    text = _BLOCK.sub(transcript, page).replace(fake.url, "https://api.wavespeed.ai")
    spare = iter((*IDS, *MORE_IDS))
    text = _ID.sub(lambda found: names.get(found[0]) or names.setdefault(found[0], next(spare)), text)
    return _TIME.sub("2026-11-26T09:30:00", text)


def _printed(command: str, fake: FakeWaveSpeed, folder: Path) -> str:
    environment = {**os.environ, "WAVESPEED_API_KEY": fake.api_key, "WAVESPEED_BASE_URL": fake.url}
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
        cwd=folder,
        check=False,
    )
    return done.stdout


if __name__ == "__main__":
    with FakeWaveSpeed() as stand_in, tempfile.TemporaryDirectory() as place:
        PAGE.write_text(made(PAGE.read_text("utf-8"), stand_in, Path(place), Path(sys.executable)), "utf-8")
