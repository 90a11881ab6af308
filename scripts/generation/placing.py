"""Putting the new package in place, so that a kill at any step leaves a whole one behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from typing import TYPE_CHECKING

from .generator import ROOT
from .refusal import RegenerationError

if TYPE_CHECKING:
    from collections.abc import Generator

TARGET = ROOT / "generated" / "wavespeed_api"
NEW = TARGET.with_name(".wavespeed_api.new")
OLD = TARGET.with_name(".wavespeed_api.old")


@contextlib.contextmanager
def alone() -> Generator[None]:
    """Keep other runs out: they would take each other's folders for leftovers."""
    TARGET.parent.mkdir(exist_ok=True)
    folder = os.open(TARGET.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise RegenerationError("another run is under way") from None
    finally:
        os.close(folder)


def recover() -> None:
    """Finish what a killed run left: put a lone old package back, remove leftovers."""
    if OLD.exists() and not TARGET.exists():
        OLD.rename(TARGET)
    for leftover in (OLD, NEW):
        if leftover.exists():
            shutil.rmtree(leftover)


def swap() -> None:
    try:
        if TARGET.exists():
            TARGET.rename(OLD)
        NEW.rename(TARGET)
    except OSError:
        if OLD.exists() and not TARGET.exists():
            OLD.rename(TARGET)
        raise
    shutil.rmtree(OLD, ignore_errors=True)
