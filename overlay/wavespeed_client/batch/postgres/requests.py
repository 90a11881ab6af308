"""Requests to the database. Those of one kind that wait are carried out together, most of them by one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field, frozen
from psycopg.errors import ForeignKeyViolation

from ...errors import InvalidInputError
from . import statements
from .statements import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...clock import Clock
    from .statements import Connection, Row


@frozen
class Try:
    """One try to carry out requests.

    Attributes:
        connection: The connection.
        batch: The batch's number.
        owner: The name under which this try claims inputs. No other try has it.
        lost: The names of earlier tries that lost their connection. Their claims were not sent, so this try may take
            them over.
        clock: A clock that does not stop while the machine is suspended.
    """

    connection: Connection
    batch: int
    owner: str
    lost: Sequence[str]
    clock: Clock


@frozen
class Meet:
    """Return the Row of an input, and record the input if it is new."""

    key: bytes
    model: str
    json: str


@frozen
class Look:
    """Return the Row of a recorded input."""

    key: bytes


@frozen
class Adopt:
    """Give an uncertain input the task that was found, if only one is not another input's. Return the input's Row."""

    key: bytes
    attempt: int
    tasks: Mapping[str, str]


@define(eq=False)
class Claim:
    """Claim an input for submission. Return None, or the Row of an input that cannot be claimed.

    Attributes:
        key: The input's key.
        cost: The price quoted for the task, in USD.
        attempt: The number of the attempt; 0 until the input is claimed.
        at: When the claim was sent, by a clock that does not stop while the machine is suspended.
    """

    key: bytes
    cost: float | None = None
    attempt: int = field(init=False, default=0)
    at: float = field(init=False, default=0.0)


@frozen
class Release:
    """Release a claim that was requested earlier: the input is not sent."""

    claim: Claim


@frozen
class Record:
    """Record the results of attempts. Return the keys that were written: the result of an outdated attempt is not.

    Of several results for one input, the last one counts.
    """

    results: Mapping[bytes, Result]


@frozen
class Alone:
    """Execute a statement for this request alone. Return its result."""

    statement: Callable[[Connection, int], object]


Request: TypeAlias = Meet | Look | Adopt | Claim | Release | Record | Alone


def carry_out(this: Try, requests: Sequence[Request]) -> Sequence[object]:
    """Carry out requests of one kind together. Return the response to each.

    Raises:
        InvalidInputError: The batch, or a row of it, was deleted meanwhile.
    """
    try:
        return KINDS[type(requests[0])](this, requests)
    except ForeignKeyViolation as error:
        raise InvalidInputError("the row of wavespeed_batch was deleted while this batch ran") from error


def _met(this: Try, requests: Sequence[Meet]) -> Sequence[Row]:
    met = {request.key: (request.model, request.json) for request in requests}
    rows = statements.meet(this.connection, this.batch, met)
    missing = [key for key in met if key not in rows]
    if missing:
        rows |= statements.look(this.connection, this.batch, missing)
    return [_row_of(rows, request.key) for request in requests]


def _looked(this: Try, requests: Sequence[Look]) -> Sequence[Row]:
    rows = statements.look(this.connection, this.batch, [request.key for request in requests])
    return [_row_of(rows, request.key) for request in requests]


def _row_of(rows: Mapping[bytes, Row], key: bytes) -> Row:
    if key not in rows:
        raise InvalidInputError(f"the row of wavespeed_input with the key {key.hex()} was deleted while this batch ran")
    return rows[key]


def _adopted(this: Try, requests: Sequence[Adopt]) -> Sequence[Row]:
    for request in requests:
        statements.adopt(this.connection, this.batch, request.key, request.attempt, request.tasks)
    return _looked(this, [Look(request.key) for request in requests])


def _claimed(this: Try, requests: Sequence[Claim]) -> Sequence[Row | None]:
    at, costs = this.clock.now(), {request.key: request.cost for request in requests}
    attempts = statements.claim(this.connection, this.batch, list(costs), this.owner, this.lost, list(costs.values()))
    for request in requests:
        # Of several requests for one input, only the first gets the attempt: it must be sent once.
        request.attempt, request.at = attempts.pop(request.key, 0), at
    others = [Look(request.key) for request in requests if not request.attempt]
    rows = iter(_looked(this, others) if others else ())
    return [None if request.attempt else next(rows) for request in requests]


def _released(this: Try, requests: Sequence[Release]) -> Sequence[object]:
    error = "The batch ended before the input was sent."
    claims = [request.claim for request in requests]
    results = {claim.key: Result(claim.attempt, "refused", error=error) for claim in claims if claim.attempt}
    return _recorded(this, [Record(results) for _ in requests])


def _recorded(this: Try, requests: Sequence[Record]) -> Sequence[set[bytes]]:
    results = {key: result for request in requests for key, result in request.results.items()}
    written = statements.record(this.connection, this.batch, results)
    return [written for _ in requests]


def _alone(this: Try, requests: Sequence[Alone]) -> Sequence[object]:
    return [request.statement(this.connection, this.batch) for request in requests]


KINDS: dict[type[Request], Callable[[Try, Sequence[Any]], Sequence[object]]] = {
    Meet: _met,
    Look: _looked,
    Adopt: _adopted,
    Claim: _claimed,
    Release: _released,
    Record: _recorded,
    Alone: _alone,
}
