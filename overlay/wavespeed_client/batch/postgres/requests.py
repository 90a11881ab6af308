"""What is asked of a journal. Requests of one kind are carried out together, by one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from . import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...clock import Clock
    from ...files.register import Upload
    from .statements import Connection, Row, Told


@frozen
class Try:
    """One try to carry out requests.

    Attributes:
        connection: Where.
        batch: The batch's number.
        owner: Who claims: each try has a name of its own.
        lost: The names of earlier tries that have lost their connection. What they may have claimed is claimed once
            more: it was not sent.
        clock: Goes on while the machine is suspended.
    """

    connection: Connection
    batch: int
    owner: str
    lost: Sequence[str]
    clock: Clock


@frozen
class Meet:
    """Say what is known of an input; it is written down if it is new. The response is a Row."""

    key: bytes
    model: str
    json: str


@frozen
class Look:
    """Say what is known of an input that is there. The response is a Row."""

    key: bytes


@frozen
class Adopt:
    """Give an uncertain input the one task found that no other input has. The response is its Row then."""

    key: bytes
    attempt: int
    tasks: Mapping[str, str]


@frozen
class Claim:
    """Take an input in order to submit it at a cost. The response is a Claimed, or None if it cannot be taken."""

    key: bytes
    cost: float | None = None


@frozen
class Claimed:
    """An attempt that is ours.

    Attributes:
        attempt: Its number.
        at: When the claim was sent, by a clock that goes on while the machine is suspended.
    """

    attempt: int
    at: float


@frozen
class Tell:
    """Write down what became of an attempt. The response says whether it is: only of an input's last attempt is it.

    Of what is told of one input together the last counts.
    """

    key: bytes
    told: Told


@frozen
class Recall:
    """Say where these contents were uploaded to. The response is a list of uploads."""

    digests: Sequence[str]


@frozen
class Keep:
    """Write down uploads."""

    uploads: Sequence[Upload]


@frozen
class Spent:
    """Say what was quoted for the tasks that were, will be or may be billed. The response is a list of amounts."""


Request: TypeAlias = Meet | Look | Adopt | Claim | Tell | Recall | Keep | Spent


def carry_out(this: Try, requests: Sequence[Request]) -> Sequence[object]:
    """Carry out requests of one kind together. Return the response to each."""
    return KINDS[type(requests[0])](this, requests)


def _met(this: Try, requests: Sequence[Meet]) -> Sequence[Row]:
    met = {request.key: (request.model, request.json) for request in requests}
    rows = statements.meet(this.connection, this.batch, met)
    missing = [key for key in met if key not in rows]
    if missing:
        rows |= statements.look(this.connection, this.batch, missing)
    return [rows[request.key] for request in requests]


def _looked(this: Try, requests: Sequence[Look]) -> Sequence[Row]:
    rows = statements.look(this.connection, this.batch, [request.key for request in requests])
    return [rows[request.key] for request in requests]


def _adopted(this: Try, requests: Sequence[Adopt]) -> Sequence[Row]:
    for request in requests:
        statements.adopt(this.connection, this.batch, request.key, request.attempt, request.tasks)
    return _looked(this, [Look(request.key) for request in requests])


def _claimed(this: Try, requests: Sequence[Claim]) -> Sequence[Claimed | None]:
    at, costs = this.clock.now(), {request.key: request.cost for request in requests}
    attempts = statements.claim(this.connection, this.batch, list(costs), this.owner, this.lost, list(costs.values()))
    # Of several requests for one input the first gets it: an attempt is sent once.
    numbers = [attempts.pop(request.key, None) for request in requests]
    return [None if number is None else Claimed(number, at) for number in numbers]


def _told(this: Try, requests: Sequence[Tell]) -> Sequence[bool]:
    told = {request.key: request.told for request in requests}
    written = statements.tell(this.connection, this.batch, told)
    return [request.key in written for request in requests]


def _recalled(this: Try, requests: Sequence[Recall]) -> Sequence[list[Upload]]:
    digests = [digest for request in requests for digest in request.digests]
    found = {upload.digest: upload for upload in statements.recall(this.connection, this.batch, digests)}
    return [[found[digest] for digest in request.digests if digest in found] for request in requests]


def _kept(this: Try, requests: Sequence[Keep]) -> Sequence[Any]:
    made = {upload.digest: upload for request in requests for upload in request.uploads}
    statements.keep(this.connection, this.batch, made.values())
    return [None for _ in requests]


def _spent(this: Try, requests: Sequence[Spent]) -> Sequence[list[float]]:
    return [statements.spent(this.connection, this.batch) for _ in requests]


KINDS: dict[type[Request], Callable[[Try, Sequence[Any]], Sequence[object]]] = {
    Meet: _met,
    Look: _looked,
    Adopt: _adopted,
    Claim: _claimed,
    Tell: _told,
    Recall: _recalled,
    Keep: _kept,
    Spent: _spent,
}
