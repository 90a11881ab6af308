"""`batch` killed with SIGKILL at random moments and run again: nothing is paid twice or beyond the budget.

The stand-in does the killing: when a request that was drawn beforehand has been acted upon, and before its response.
"""

import logging
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONG_SERIES, TODAY
from tests.overlay.cli.conftest import MODEL, PROGRAM
from wavespeed_client.batch.reading import read_journal
from wavespeed_client.testing import FakeWaveSpeed

INPUTS = 32
PRICE_IN_CENTS_OF_A_CENT = 108
AFFORDABLE = 26
BUDGET = f"{AFFORDABLE * PRICE_IN_CENTS_OF_A_CENT / 10_000:.4f}"
COMMAND = [*PROGRAM, "batch", MODEL, "prompts.csv", "--journal", "b.jsonl", "--budget", BUDGET, "--max-in-flight", "8"]
KILLS_EACH = 5


class Killer(logging.Handler):
    """A counter of the requests that the stand-in has carried out. At one of them it kills the sender."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 0
        self.victim: subprocess.Popen[bytes] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.left -= 1
        if self.left == 0 and self.victim is not None:
            self.victim.kill()


@pytest.fixture
def killer() -> Iterator[Killer]:
    logger, killer = logging.getLogger("wavespeed_client.testing"), Killer()
    logger.addHandler(killer)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield killer
    logger.setLevel(level)
    logger.removeHandler(killer)


def run(killer: Killer, left: int) -> int:
    """Start the command, kill it after this many more requests, and return its exit code."""
    with subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        killer.victim, killer.left = running, left
        code = running.wait(60)
        killer.victim = None
    return code


@pytest.mark.promise("batch-once", "batch-resume", "limits")
@pytest.mark.parametrize("seed", range(4 if LONG_SERIES else 2))
def test_kills_pay_nothing_twice_and_stay_within_the_budget(account: FakeWaveSpeed, killer: Killer, seed: int) -> None:
    account.script(MODEL, "created", "completed")
    Path("prompts.csv").write_text("prompt\n" + "".join(f"cat {number}\n" for number in range(INPUTS)))
    moments = random.Random(f"{TODAY} {seed}")
    killed = 0
    for _ in range(KILLS_EACH):
        # The first requests are for the catalogue and all prices; then each input has its price requested again.
        unpaid = INPUTS - len(account.calls)
        killed += run(killer, 2 + unpaid + moments.randrange(1, 12)) == -9
    assert killed == KILLS_EACH
    assert run(killer, 0) in (5, 6)
    assert max(Counter(call.input["prompt"] for call in account.calls).values()) == 1
    entries = read_journal("b.jsonl")
    uncertain = sum(entry.event == "uncertain" for entry in entries)
    finished = sum(entry.event == "finished" for entry in entries)
    assert finished + uncertain == AFFORDABLE
    assert finished <= len(account.calls) <= AFFORDABLE
    assert sum(round(10_000 * (entry.cost or 0)) for entry in entries if entry.event in ("finished", "uncertain")) == (
        AFFORDABLE * PRICE_IN_CENTS_OF_A_CENT
    )
