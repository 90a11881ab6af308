"""Do one run on an engine: `run.py ENGINE RUN BATCH guarded|unguarded COUNT FOLDER`.

It writes the rows to FOLDER/rows.json, and saves outputs in FOLDER/saved.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from stages import rows_of, stage
from wavespeed_client.distributed import Save


def main(engine: str, run: str, batch: str, guarded: str, count: str, folder: str) -> None:
    """Do the run."""
    place = Path(folder)
    made = stage(batch, str(place / "pids"), guarded == "guarded")
    check_pickle(made)
    rows = import_module(f"on_{engine}").RUNS[run](made, Save(str(place / "saved")), rows_of(int(count)))
    (place / "rows.json").write_text(json.dumps(rows, default=str))


def check_pickle(made: object) -> None:
    """Raise an error if the pickled stage contains the key or the password.

    Raises:
        RuntimeError: It does, or one of them is not set.
    """
    from os import environ
    from urllib.parse import unquote, urlsplit

    pickled: bytes = import_module("cloudpickle").dumps(made)
    password = urlsplit(environ["WAVESPEED_JOURNAL"]).password or ""
    for secret in (environ["WAVESPEED_API_KEY"], password, unquote(password)):
        if not secret or secret.encode() in pickled:
            raise RuntimeError("A secret is missing in the environment, or is pickled.")


if __name__ == "__main__":
    main(*sys.argv[1:])
