"""What is asked of a journal, and how many such requests are carried out together: one statement for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from . import statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...clock import Clock
    from ...files.register import Upload
    from .statements import Connection, Row, Told


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
class Claim:
    """Take an input in order to submit it at a cost. The response is a Claimed, or None if it cannot be taken."""

    key: bytes
    cost: float | None = None


@frozen
class Tell:
    """Write down what became of an attempt. The response says whether it is: only of an input's last attempt is it."""

    key: bytes
    told: Told


@frozen
class Adopt:
    """Give an uncertain input the one task found that no other input has. The response says whether there was one."""

    key: bytes
    attempt: int
    tasks: Mapping[str, str]


@frozen
class Recall:
    """Say where these contents were uploaded to. The response is a list of uploads."""

    digests: Sequence[str]


@frozen
class Spent:
    """Say what was quoted for the tasks that were, will be or may be billed. The response is a list of amounts."""


@frozen
class Keep:
    """Write down uploads."""

    uploads: Sequence[Upload]


Request: TypeAlias = Meet | Look | Claim | Tell | Adopt | Recall | Spent | Keep


@frozen
class Claimed:
    """An attempt that is ours.

    Attributes:
        attempt: Its number.
        at: When it was asked for, by a clock that goes on while the machine is suspended.
    """

    attempt: int
    at: float


def carry_out(
    connection: Connection, batch: int, owner: str, lost: Sequence[str], clock: Clock, requests: Sequence[Request]
) -> list[object]:
    """Carry out requests together, and return the response to each. Of what is told of one input the last counts.

    Args:
        connection: Where.
        batch: The batch's number.
        owner: Who claims: each try has a name of its own.
        lost: The names of earlier tries that have lost their connection. What they may have claimed is claimed once
            more: nobody has sent it.
        clock: Goes on while the machine is suspended.
        requests: What is asked.
    """
    told = {request.key: request.told for request in requests if isinstance(request, Tell)}
    written = statements.tell(connection, batch, told) if told else set[bytes]()
    adopted = {
        request.key: statements.adopt(connection, batch, request.key, request.attempt, request.tasks)
        for request in requests
        if isinstance(request, Adopt)
    }
    rows, uploads = _rows(connection, batch, requests), _uploads(connection, batch, requests)
    claims = {request.key: request.cost for request in requests if isinstance(request, Claim)}
    at = clock.now()
    attempts = {}
    if claims:
        attempts = statements.claim(connection, batch, list(claims), owner, lost, list(claims.values()))
    responses: list[object] = []
    for request in requests:
        if isinstance(request, Tell):
            responses.append(request.key in written)
        elif isinstance(request, Claim):
            responses.append(Claimed(attempts[request.key], at) if request.key in attempts else None)
        elif isinstance(request, Adopt):
            responses.append(adopted[request.key])
        elif isinstance(request, Spent):
            responses.append(statements.spent(connection, batch))
        elif isinstance(request, Recall):
            responses.append([uploads[digest] for digest in request.digests if digest in uploads])
        else:
            responses.append(None if isinstance(request, Keep) else rows[request.key])
    return responses


def _uploads(connection: Connection, batch: int, requests: Sequence[Request]) -> dict[str, Upload]:
    made = {upload.digest: upload for request in requests if isinstance(request, Keep) for upload in request.uploads}
    if made:
        statements.keep(connection, batch, made.values())
    digests = [digest for request in requests if isinstance(request, Recall) for digest in request.digests]
    found = statements.recall(connection, batch, digests) if digests else []
    return {upload.digest: upload for upload in found}


def _rows(connection: Connection, batch: int, requests: Sequence[Request]) -> dict[bytes, Row]:
    met = {request.key: (request.model, request.json) for request in requests if isinstance(request, Meet)}
    rows = statements.meet(connection, batch, met) if met else {}
    looked = [request.key for request in requests if isinstance(request, Look)]
    keys = [key for key in (*met, *looked) if key not in rows]
    return rows | statements.look(connection, batch, keys) if keys else rows
