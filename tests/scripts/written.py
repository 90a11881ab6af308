"""The module of typed inputs that programs of the README and the pages import."""

import subprocess
from pathlib import Path

# The command is the one in the README.
WRITE_MODELS = "python -m wavespeed_client.typed my_models.py wavespeed-ai/flux-dev"


def write_models(program: str, folder: Path, environment: dict[str, str]) -> None:
    """Write the module to the folder in which a program that imports it is run."""
    if "my_models" in program:
        subprocess.run(["bash", "-c", WRITE_MODELS], cwd=folder, env=environment, capture_output=True, check=True)
