"""Runs, a person, the service and the clock act on rows in any order, on a real PostgreSQL.

The model keeps what was really sent. Whatever happens, nothing is sent twice unless somebody requested to pay again.
"""

from __future__ import annotations

import itertools
import secrets
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from wavespeed_client.batch.postgres import statements
from wavespeed_client.batch.postgres.statements import Connection, Result

pytestmark = pytest.mark.promise("database-once")

KEYS = [b"a", b"b", b"c"]
OWNERS = ["one", "two", "three"]


class Rows(RuleBasedStateMachine):
    """Three inputs and any number of runs. A run sends a claimed attempt at most once, at once or later."""

    connection: ClassVar[Connection]
    numbers: ClassVar = itertools.count()
    held = Bundle("held")  # claimed, and not sent yet
    sent = Bundle("sent")  # sent, and without a response

    def __init__(self) -> None:
        super().__init__()
        self.name = f"machine-{secrets.token_hex(6)}"
        self.batch = statements.register(self.connection, self.name, "https://api.wavespeed.ai")
        self.submissions = dict.fromkeys(KEYS, 0)  # which may have been taken
        self.allowed = dict.fromkeys(KEYS, 1)
        self.known: dict[bytes, str] = {}
        self.ended: set[bytes] = set()

    def row(self, key: bytes) -> Any:
        return statements.look(self.connection, self.batch, [key]).get(key)

    @rule(keys=st.sets(st.sampled_from(KEYS), min_size=1))
    def plan(self, keys: set[bytes]) -> None:
        statements.meet(self.connection, self.batch, dict.fromkeys(keys, ("a/b", "{}")))

    @rule(target=held, key=st.sampled_from(KEYS), owner=st.sampled_from(OWNERS))
    def claim(self, key: bytes, owner: str) -> Any:
        before = self.row(key)
        claimed = statements.claim(self.connection, self.batch, {key: None}, f"{owner}-{next(self.numbers)}")
        self.check_claimed(bool(claimed), before)
        return (key, claimed.get(key))

    def check_claimed(self, claimed: bool, before: Any) -> None:
        assert claimed == (before is not None and before.state in ("planned", "refused"))

    @rule(target=sent, attempt=consumes(held))
    def send(self, attempt: tuple[bytes, int | None]) -> Any:
        key, number = attempt
        if number is not None:
            self.submissions[key] += 1
        return attempt

    @rule(attempt=consumes(held))
    def keep_back(self, attempt: tuple[bytes, int | None]) -> None:
        """Let a run notice that its claim is too old."""
        self.note(attempt, "refused")

    @rule(attempt=consumes(sent))
    def refused(self, attempt: tuple[bytes, int | None]) -> None:
        if attempt[1] is not None:
            self.submissions[attempt[0]] -= 1  # certainly not taken
        self.note(attempt, "refused")

    @rule(attempt=consumes(sent))
    def lost(self, attempt: tuple[bytes, int | None]) -> None:
        self.note(attempt, "uncertain")

    @rule(target=sent, attempt=consumes(sent))
    def responds(self, attempt: tuple[bytes, int | None]) -> Any:
        key, number = attempt
        if number is not None:
            task = f"{self.name}-{next(self.numbers)}"
            if statements.record(self.connection, self.batch, {key: Result(number, "submitted", task, "{}")}):
                self.known[key] = task
        return (key, None)

    @rule(key=st.sampled_from(KEYS), end=st.sampled_from(["finished", "failed"]))
    def ends(self, key: bytes, end: str) -> None:
        row = self.row(key)
        if row is not None and row.state == "submitted":
            statements.record(self.connection, self.batch, {key: Result(row.attempt, end, self.known[key], "{}")})
            self.ended.add(key)

    @rule(key=st.sampled_from(KEYS))
    def meets_an_old_one(self, key: bytes) -> None:
        """Let another run look up an input so late that no response can come."""
        row = self.row(key)
        if row is not None and row.state == "submitting":
            statements.record(self.connection, self.batch, {key: Result(row.attempt, "uncertain")})

    @rule(key=st.sampled_from(KEYS), found=st.integers(0, 2))
    def looks_for_it(self, key: bytes, found: int) -> None:
        row = self.row(key)
        if row is not None and row.state in ("submitting", "uncertain"):
            tasks = [f"{self.name}-{next(self.numbers)}" for _ in range(found)]
            others = {task: "{}" for other, task in self.known.items() if other != key}
            adopted = statements.adopt(
                self.connection, self.batch, key, row.attempt, {**others, **dict.fromkeys(tasks, "{}")}
            )
            assert adopted == (found == 1)
            if adopted:
                self.known[key] = tasks[0]

    @rule(state=st.sampled_from(["uncertain", "failed"]))
    def pay_again(self, state: str) -> None:
        for key in KEYS:
            row = self.row(key)
            if row is not None and row.state == state:
                self.allowed[key] += 1
                self.ended.discard(key)
        statements.pay_again(self.connection, self.name, [state])

    def note(self, attempt: tuple[bytes, int | None], state: str) -> None:
        key, number = attempt
        if number is not None:
            statements.record(self.connection, self.batch, {key: Result(number, state)})

    @invariant()
    def nothing_is_sent_twice_unasked(self) -> None:
        for key in KEYS:
            assert self.submissions[key] <= self.allowed[key], key

    @invariant()
    def what_has_ended_stays_so(self) -> None:
        for key in self.ended:
            assert self.row(key).state in ("finished", "failed")

    @invariant()
    def a_task_is_one_inputs(self) -> None:
        rows = self.connection.execute(
            "select state, task_id from wavespeed_input where batch = %s", (self.batch,)
        ).fetchall()
        tasks = [task for _, task in rows if task is not None]
        assert len(set(tasks)) == len(tasks)
        assert all(task is not None for state, task in rows if state in ("submitted", "finished", "failed"))


class Expiring(Rows):
    """The same with claims that expire."""

    def check_claimed(self, claimed: bool, before: Any) -> None:
        pass


SETTINGS = settings(
    max_examples=30,
    stateful_step_count=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.no_cover
def test_any_order_of_events_keeps_the_invariants_of_the_rows(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rows, "connection", connection, raising=False)
    run_state_machine_as_test(Rows, settings=SETTINGS)


@pytest.mark.no_cover
def test_the_state_machine_finds_the_double_submission_of_an_expiring_claim(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    expiring = statements.CLAIM.replace("'planned', 'refused'", "'planned', 'refused', 'submitting', 'uncertain'")
    monkeypatch.setattr(statements, "CLAIM", expiring)
    monkeypatch.setattr(Rows, "connection", connection, raising=False)
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(Expiring, settings=settings(SETTINGS, max_examples=200, derandomize=True))
    assert caught.traceback[-1].name == "nothing_is_sent_twice_unasked"
