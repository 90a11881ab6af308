"""One batch in four processes at once, killed, stopped and woken, on a database that crashes: nothing is paid twice.

The service is in this process, and what counts is what has arrived at it. A run that is stopped is woken after the time
in which a submission has its response, when the others have long taken it for dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from attrs import define, field

import database
from tests.conftest import SOAK_INPUTS
from tests.overlay.batch.postgres.counting import CountingService, inputs, shared
from tests.servers.faults import in_thread
from wavespeed_client import ConfigurationError
from wavespeed_client.batch import tasks
from wavespeed_client.batch.postgres import journal, ledger, statements
from wavespeed_client.transport import chain
from wavespeed_client.transport.environment import tls_context

pytestmark = pytest.mark.promise("database-once", "database-outage")

# Imported before the processes are forked, so that none of them has to.
LOADED = (chain, journal, tasks, tls_context())

PROCESSES = 4
UNCERTAIN_AFTER = 3.0
ASLEEP = 1.5 * UNCERTAIN_AFTER
IN_FLIGHT = 16
# What happens while the inputs are submitted, evenly spread over them.
EVENTS = ["kill", "stop", "crash", "kill", "stop", "kill", "stop", "crash", "kill", "stop", "kill", "kill"]
PATIENCE = 300.0
TRY_AGAIN = 75


def carry_out(url: str, address: str, name: str, count: int, expiring: bool) -> None:
    """Run the batch in a separate process."""
    if expiring:
        let_claims_expire()
    try:
        asyncio.run(shared(url, address, name, inputs(count), UNCERTAIN_AFTER, IN_FLIGHT))
    except ConfigurationError as error:  # the database was away at the start
        sys.exit(TRY_AGAIN if "connection" in str(error) else 1)


def let_claims_expire() -> None:
    """Set up the control: a lease that frees an input again if its submission takes too long."""
    old = f"state in ('submitting', 'uncertain') and changed_at < clock_timestamp() - interval '{UNCERTAIN_AFTER} s'"
    statements.CLAIM = statements.CLAIM.replace(
        "(state in ('planned', 'refused')", f"(state in ('planned', 'refused') or ({old})"
    )
    original = ledger.entry_of

    def entry_of(key: bytes, row: Any, *rest: Any) -> Any:
        free = row.state in ("submitting", "uncertain") and row.age > UNCERTAIN_AFTER
        return original(key, statements.Row("planned", row.attempt, row.age) if free else row, *rest)

    ledger.entry_of = entry_of


@define
class Tormentor:
    """The processes, and the kills, stops and database crashes that happen to them while they work."""

    service: CountingService
    server: database.Server
    name: str
    count: int
    expiring: bool
    dice: random.Random
    processes: list[Any] = field(factory=list)
    asleep: dict[Any, float] = field(factory=dict)
    without_response: int = 0
    done: Counter[str] = field(factory=Counter)

    def run(self) -> None:
        """Run the batch to its end."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        end = time.monotonic() + PATIENCE
        arguments = (self.service.url, self.server.url, self.name, self.count, self.expiring)
        try:
            while self.processes or not self.done["ended"]:
                assert time.monotonic() < end, self.done
                while len(self.processes) + self.done["ended"] < PROCESSES:
                    self.processes.append(context.Process(target=carry_out, args=arguments))
                    self.processes[-1].start()
                self.strike()
                self.wake()
                self.collect()
        finally:
            for process in self.processes:
                process.kill()

    def strike(self) -> None:
        """Cause the next event if enough was submitted."""
        done = self.done["kill"] + self.done["stop"] + self.done["crash"]
        awake = [process for process in self.processes if process not in self.asleep]
        due = len(self.service.arrived) > self.count * (done + 1) / (len(EVENTS) + 2)
        if done == len(EVENTS) or not due or not awake:
            return
        event, victim = EVENTS[done], self.dice.choice(awake)
        self.done[event] += 1
        if event == "crash":
            self.server.crash()
            self.server.start()
        elif event == "kill":
            victim.kill()
            victim.join()
            self.without_response += self.submitting(victim)
        else:
            os.kill(victim.pid, signal.SIGSTOP)
            self.without_response += self.submitting(victim)
            self.asleep[victim] = time.monotonic() + ASLEEP

    def submitting(self, process: Any) -> int:
        """Count the submissions of a process that have no response."""
        query = "select count(*) from wavespeed_input where state = 'submitting' and owner like %s"
        with psycopg.connect(self.server.url) as connection:
            return connection.execute(query, (f"%:{process.pid}:%",)).fetchall()[0][0]

    def wake(self) -> None:
        for process, at in list(self.asleep.items()):
            if time.monotonic() > at:
                os.kill(process.pid, signal.SIGCONT)
                del self.asleep[process]

    def collect(self) -> None:
        """Wait a moment for a process to end."""
        sentinels = [process.sentinel for process in self.processes]
        multiprocessing.connection.wait(sentinels, 0.02)
        for process in [process for process in self.processes if process.exitcode is not None]:
            self.processes.remove(process)
            self.done["ended"] += process.exitcode == 0
            assert process.exitcode in (0, TRY_AGAIN, -signal.SIGKILL), process.exitcode


Torment = Callable[..., Tormentor]


@pytest.fixture
def torment(own_server: database.Server, name: str) -> Iterator[Torment]:
    with contextlib.ExitStack() as stack:

        def run(count: int, *, expiring: bool = False) -> Tormentor:
            service = stack.enter_context(in_thread(CountingService()))
            tormentor = Tormentor(service, own_server, name, count, expiring, random.Random(count))
            tormentor.run()
            return tormentor

        yield run


def test_four_processes_share_a_batch(
    torment: Torment, own_server: database.Server, name: str, record_property: Any
) -> None:
    tormentor = torment(SOAK_INPUTS)
    service, given = tormentor.service, inputs(SOAK_INPUTS)
    found = asyncio.run(shared(service.url, own_server.url, name, given, UNCERTAIN_AFTER, IN_FLIGHT))
    assert service.doubled == 0
    assert sorted(outcome.index for outcome in found) == list(range(len(given)))
    lost = {outcome.input["prompt"] for outcome in found if outcome.uncertain}
    assert len(lost) <= tormentor.without_response
    for outcome in found:
        if not outcome.uncertain:
            assert outcome.error is None
            assert service.tasks[outcome.task.id][0] == outcome.input["prompt"]
    tasks = {outcome.task.id for outcome in found if outcome.task is not None}
    assert len(tasks) == len({given["prompt"] for given in given}) - len(lost)
    counts = {"doubled": 0, "no response": tormentor.without_response, "uncertain": len(lost)}
    for name_, value in counts.items():
        record_property(f"shared {name_}", value)
    print(tormentor.done, service.requests, tormentor.without_response, len(lost))


def test_claims_that_expire_cause_double_submissions(torment: Torment) -> None:
    tormentor = torment(200, expiring=True)
    assert tormentor.service.doubled > 0
    print(tormentor.done, tormentor.service.doubled)
