"""The module of typed inputs that programs of the README and of the pages import."""

import subprocess
from pathlib import Path

# As the README advises people to write it.
WRITE_MODELS = "python -m wavespeed_client.typed my_models.py wavespeed-ai/flux-dev"


def write_models(program: str, folder: Path, environment: dict[str, str]) -> None:
    """Write it where a program that imports it is run."""
    if "my_models" in program:
        subprocess.run(["bash", "-c", WRITE_MODELS], cwd=folder, env=environment, capture_output=True, check=True)
