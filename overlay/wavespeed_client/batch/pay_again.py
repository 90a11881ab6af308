"""Allow a batch in a database to submit, and pay for, inputs again. Only a person can decide that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from ..errors import ConfigurationError, InvalidInputError
from .options import address_of

if TYPE_CHECKING:
    from .postgres.address import Address

State: TypeAlias = Literal["uncertain", "failed"]


def pay_again(journal: str, batch: str, *states: State) -> int:
    """Let the next run of a batch submit, and pay for, inputs once more. Return the number of these inputs.

    Sends nothing to the service and costs nothing itself. The task of an uncertain input may have been started and
    billed: look for it with `find_submissions` first. Each run has looked for it, too. A failed task was not billed.

    Args:
        journal: The address of the database, as `run_many` takes it.
        batch: The batch's name.
        states: Which inputs: "uncertain", "failed", or both.

    Raises:
        InvalidInputError: `states` is empty or has an unknown state, or there is no such batch.
        ConfigurationError: `journal` is not the address of a database, or the database cannot be used.
    """
    if not states or set(states) - {"uncertain", "failed"}:
        raise InvalidInputError('Say which inputs to pay for again: "uncertain", "failed", or both.')
    address = address_of(journal)
    found = _counted(address, batch, states)
    if found is None:
        raise InvalidInputError(f"There is no batch {batch!r} at {address.shown}.")
    if isinstance(found, str):  # raised here, where no frame holds the password
        raise ConfigurationError(f"The journal at {address.shown} cannot be used ({found}).")
    return found


def _counted(address: Address, batch: str, states: tuple[State, ...]) -> int | str | None:
    """Return the number of inputs, or the reason why the database cannot be used; None if there is no such batch."""
    from .postgres import statements
    from .postgres.address import NO_CONNECTION

    try:
        with address.connect() as connection:
            statements.create(connection)
            return statements.pay_again(connection, batch, list(states))
    except NO_CONNECTION as error:
        return " ".join(address.hide(str(error)).split())
