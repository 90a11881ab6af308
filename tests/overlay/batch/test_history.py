"""Random histories of a batch: whatever is late, fails or is left, nothing is sent twice and nothing is lost.

The steps of each job are taken by hand, so that any number of them are under way, and end in any order.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SETTINGS, TestClock
from tests.overlay.batch.states import MODEL, lost, task
from wavespeed_client import APIConnectionError, BadRequestError, ConfigurationError, RateLimitError, ServerError
from wavespeed_client.batch.job import Job
from wavespeed_client.batch.journal import Entry, Item, Note
from wavespeed_client.batch.options import checked_options
from wavespeed_client.batch.state import Batch
from wavespeed_client.batch.steps import Procedure
from wavespeed_client.batch.tasks import ENDED_AT_ONCE
from wavespeed_client.waiting.wait import Wait

pytestmark = pytest.mark.promise("batch-once", "journal-first")

FREE = (None, "planned", "refused")
GONE = ConfigurationError("The journal is gone.")
REFUSALS = [
    RateLimitError("Slow down.", status_code=429),
    BadRequestError("No.", status_code=400),
    APIConnectionError("No connection."),
]


@define
class Memory:
    """A journal that keeps the last event of each input."""

    events: dict[int, str] = field(factory=dict)
    held: set[int] = field(factory=set)

    def look(self, item: Item) -> Entry:
        number = int(item.json.decode().removeprefix('{"n":').removesuffix("}"))
        if number in self.held:
            return Entry(number, "submitting", datetime.now(UTC), look_again=5.0)
        return Entry(number, self.events.setdefault(number, "planned"), datetime.now(UTC))

    def reserve(self, entry: Entry) -> Entry:
        assert isinstance(entry.key, int)
        if entry.key in self.held:
            return evolve(entry, event="submitting", look_again=5.0)
        assert self.events[entry.key] in FREE
        self.events[entry.key] = "submitting"
        return evolve(entry, event="submitting", look_again=None)

    def write(self, notes: Sequence[Note]) -> None:
        for note in notes:
            assert isinstance(note.entry.key, int)
            self.events[note.entry.key] = note.event


@define(eq=False)
class Flight:
    """The steps of a job, and the call whose result they wait for.

    Attributes:
        departs: The steps before a request leaves, and the call that these wait for; None before and after.
        left: Whether the request has left.
    """

    job: Job
    steps: Any
    call: Any
    departs: tuple[Any, Callable[[], Any]] | None = None
    left: bool = False


class History:
    """A batch, and what the service, the journal, the caller and other runs do to it."""

    def __init__(self, dice: random.Random) -> None:
        journaled, most, timeout = dice.random() < 0.7, dice.randint(1, 3), dice.choice([None, 0.0, 20.0])
        self.dice = dice
        self.clock, self.most = TestClock(), most
        self.journal = Memory() if journaled else None
        place: Any = Path("x.jsonl") if journaled else None
        options = checked_options(SETTINGS, MODEL, [], most, None, timeout, place, None)
        self.batch = Batch(options, self.clock, Wait)
        journal: Any = self.journal
        uploads: Any = self.fetch  # there are no files
        self.procedure = Procedure(self.batch, journal, self.submit, self.fetch, self.submit, self.fetch, uploads)
        self.numbers, self.tasks = itertools.count(), itertools.count()
        self.pulling = False
        self.pulled = 0
        self.flights: list[Flight] = []
        self.taken: dict[int, int] = {}
        self.running: set[int] = set()
        self.outcomes: list[int] = []
        self.broken = self.cancelled = False

    def submit(self, *given: Any) -> None: ...
    def fetch(self, *given: Any) -> None: ...

    # Actions of an engine

    def a_slow_input_is_pulled(self) -> None:
        self.pulling = True

    def it_comes(self) -> None:
        self.pulling = False
        if self.pulled > 9:
            self.batch.exhausted()
        else:
            self.pull()

    def inputs_come_and_steps_are_taken(self) -> None:
        while not self.batch.room():
            self.pull()
        self.steps_are_taken()

    def pull(self) -> None:
        number = next(self.numbers)
        self.pulled += not self.batch.stopped
        self.batch.pull({"n": number})

    def steps_are_taken(self) -> None:
        while not self.cancelled and (job := self.batch.take()) is not None:
            flight = Flight(job, self.procedure.carry_out(job, self.fetch, self.fetch), None)
            self.flights.append(flight)
            self.goes_on(flight, partial(next, flight.steps))

    def a_call_ends(self) -> None:
        self.ends(self.dice.choice(self.flights), self.dice.random() < 0.8, self.dice.choice)

    def ends(self, flight: Flight, fine: bool, draw: Callable[[Sequence[Any]], Any]) -> None:
        name = flight.call.func.__name__
        if name in ("submit", "fetch"):
            self.request_ends(flight, name, fine, draw)
        elif fine or draw(range(4)):
            result = flight.call()
            self.goes_on(flight, lambda: flight.steps.send(result))
        else:
            self.broken = True
            self.goes_on(flight, lambda: flight.steps.throw(GONE))

    def request_ends(self, flight: Flight, name: str, fine: bool, draw: Callable[[Sequence[Any]], Any]) -> None:
        if flight.left:
            flight.left = False
            self.response_comes(flight, name, fine, draw)
            return
        try:
            if flight.departs is None:
                steps = self.procedure.depart(flight.job)
                flight.departs = (steps, next(steps))
            elif fine:
                flight.departs[0].send(flight.departs[1]())
            else:
                self.broken = True
                flight.departs[0].throw(GONE)
        except StopIteration:
            flight.departs, flight.left = None, True
            if name == "submit":
                self.leaves(flight.job)
        except ConfigurationError as error:
            flight.departs = None
            self.goes_on(flight, partial(flight.steps.throw, error))

    def leaves(self, job: Job) -> None:
        """Let a submission leave."""
        assert not self.batch.stopped
        number = job.input["n"]
        assert number not in self.taken
        assert self.journal is None or self.journal.events[number] == "submitting"
        self.running.add(number)
        assert len(self.running) <= self.most

    def response_comes(self, flight: Flight, name: str, fine: bool, draw: Callable[[Sequence[Any]], Any]) -> None:
        number = flight.job.input["n"]
        prediction: Any = None
        error: Any = None
        if name == "fetch":
            status = draw(["processing", "completed", "failed"]) if fine else None
            if status in ("completed", "failed"):
                self.running.discard(number)
            error = ServerError("No.", status_code=503)
            prediction = None if status is None else task(self.taken[number], status)
        elif fine:
            self.taken[number] = next(self.tasks)
            prediction, error = task(self.taken[number]), None
        elif draw([True, False]):  # it is not known whether it was taken
            self.taken[number] = -1
            self.running.discard(number)
            prediction, error = None, lost()
        else:
            self.running.discard(number)
            prediction, error = None, draw(REFUSALS)
        step = partial(flight.steps.send, prediction) if prediction is not None else partial(flight.steps.throw, error)
        self.goes_on(flight, step)
        if flight.job.outcome is not None:
            self.running.discard(number)

    def goes_on(self, flight: Flight, step: Callable[[], Any]) -> None:
        try:
            flight.call = step()
        except StopIteration:
            self.flights.remove(flight)
        except BaseException as error:
            self.batch.crashed(error)
            self.flights.remove(flight)

    # Actions of everybody else

    def time_passes(self) -> None:
        self.clock.sleep(self.dice.choice([0.5, 5.0, 100.0]))

    def another_run_comes_or_goes(self) -> None:
        number = self.dice.randint(0, 5)
        assert self.journal is not None
        if self.journal.events.get(number) in FREE:
            self.journal.held ^= {number}

    def an_outcome_is_taken(self) -> None:
        if self.batch.has_outcomes:
            outcome = self.batch.outcome()
            assert outcome is not None
            self.outcomes.append(outcome.index)

    def the_batch_is_left(self) -> None:
        """Cancel the steps that submit nothing, as the async engine does."""
        self.batch.stop()
        for flight in [one for one in self.flights if one.job.stage in ENDED_AT_ONCE and one.job.outcome is None]:
            self.goes_on(flight, partial(flight.steps.throw, asyncio.CancelledError()))

    def the_end_is_cut_short_too(self) -> None:
        self.cancelled = True
        for flight in list(self.flights):
            self.goes_on(flight, partial(flight.steps.throw, asyncio.CancelledError()))

    def act(self) -> None:
        """Do one thing that can happen now."""
        choices = [self.inputs_come_and_steps_are_taken, self.time_passes, self.an_outcome_is_taken]
        choices += [self.a_call_ends] * min(6, 3 * len(self.flights))
        if self.pulling:
            choices.append(self.it_comes)
        elif not self.batch.room():
            choices.append(self.a_slow_input_is_pulled)
        if self.journal is not None:
            choices.append(self.another_run_comes_or_goes)
        if self.pulled > 2 and self.dice.random() < 0.05:
            choices = [self.the_end_is_cut_short_too if self.batch.stopped else self.the_batch_is_left]
        self.dice.choice(choices)()
        # An input that may have been taken is not free for the next run, and each outcome comes once.
        assert self.journal is None or all(self.journal.events[number] not in FREE for number in self.taken)
        assert len(set(self.outcomes)) == len(self.outcomes)

    def comes_to_its_end(self) -> None:
        """Let everything succeed from now on, so that every input gets its outcome."""
        if self.journal is not None:
            self.journal.held.clear()
        self.batch.exhausted()

        def draw(choice: Any) -> Any:
            return "completed"

        for _ in range(2_000):
            while self.flights:
                self.ends(self.flights[0], True, draw)
            self.steps_are_taken()
            if not self.flights:
                self.an_outcome_is_taken()
                self.clock.sleep(1.0)
            if self.batch.over:
                break
        assert sorted(self.outcomes) == list(range(self.pulled))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_random_histories_send_no_input_twice_and_lose_no_task(seed: int) -> None:
    history = History(random.Random(seed))
    for _ in range(100):
        history.act()
    if not history.batch.stopped:
        history.comes_to_its_end()
