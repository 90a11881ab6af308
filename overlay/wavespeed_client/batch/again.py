"""What a person decides about inputs that a batch in a database does not submit again by itself: to pay again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from ..errors import ConfigurationError, InvalidInputError
from .options import address_of

if TYPE_CHECKING:
    from .postgres.address import Address

State: TypeAlias = Literal["uncertain", "failed"]


def pay_again(journal: str, batch: str, *states: State) -> int:
    """Let inputs of a batch be submitted once more by its next run, and paid for once more; return how many there are.

    Costs nothing itself. The task of an uncertain input may have been started and billed: look with
    `find_submissions` first, as each run has done too. A failed task was not billed.

    Args:
        journal: The address of the database, as `run_many` takes it.
        batch: The batch's name.
        states: Which inputs: "uncertain", "failed", or both.

    Raises:
        InvalidInputError: No state was named, or another; or there is no such batch.
        ConfigurationError: It is no address of a database, or the database cannot be used.
    """
    if not states or set(states) - {"uncertain", "failed"}:
        raise InvalidInputError('Name the inputs to be paid for again: "uncertain", "failed", or both.')
    address = address_of(journal)
    found = _counted(address, batch, states)
    if found is None:
        raise InvalidInputError(f"There is no batch {batch!r} at {address.shown}.")
    if isinstance(found, str):  # raised here, where no frame holds the password
        raise ConfigurationError(f"The journal at {address.shown} cannot be used ({found}).")
    return found


def _counted(address: Address, batch: str, states: tuple[State, ...]) -> int | str | None:
    """Return how many inputs there are, or why that cannot be told; None if there is no such batch."""
    from .postgres import statements
    from .postgres.address import NO_CONNECTION

    try:
        with address.connect() as connection:
            statements.create(connection)
            return statements.pay_again(connection, batch, list(states))
    except NO_CONNECTION as error:
        return " ".join(address.hide(str(error)).split())
