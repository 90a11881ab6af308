"""Plan a batch: which inputs are in the journal, and what the others would cost."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve, frozen

from ..arguments import check_cost
from ..batch.attached import taken
from ..batch.journal import BILLED, EVENTS, digest_of
from ..errors import CostLimitError
from ..files.inputs import files_in
from .records import total

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal
    from pathlib import Path

    from ..batch.reading import JournalEntry
    from ..client import WaveSpeed

# The most requests for prices; with more inputs, the sum is an estimate.
MOST_QUOTES = 200
AT_ONCE = 8


@frozen
class Plan:
    """What will happen with the inputs of a batch.

    Attributes:
        inputs: The number of inputs.
        done: How many have ended, by the journal.
        running: How many have a task that is still running.
        uncertain: How many may have been submitted; they are not sent again.
        to_pay: The inputs to submit, each with its digest.
        spent: The cost of the journal's tasks, in USD.
    """

    inputs: int
    done: int
    running: int
    uncertain: int
    to_pay: Sequence[tuple[bytes, dict[str, Any]]]
    spent: Decimal

    def __str__(self) -> str:
        counts = {"already done": self.done, "running": self.running, "uncertain": self.uncertain}
        parts = [f"{self.inputs} input{'' if self.inputs == 1 else 's'}"]
        parts += [f"{count} {what}" for what, count in counts.items() if count]
        return ", ".join([*parts, f"{len(self.to_pay)} to pay"])


@frozen
class Quote:
    """The price of inputs.

    Attributes:
        amount: The sum in USD.
        exact: Whether every input was priced exactly as it will be sent.
        too_expensive: How many of the priced inputs exceed --max-cost.
    """

    amount: Decimal
    exact: bool
    too_expensive: int


def planned(model: str, inputs: Sequence[dict[str, Any]], entries: Iterable[JournalEntry], retry_failed: bool) -> Plan:
    """Match the inputs with the journal's entries. Each entry serves one equal input."""
    entries = list(entries)
    known: defaultdict[bytes, list[str]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: EVENTS.index(entry.event), reverse=True):
        known[digest_of(entry.model, entry.input)].append(entry.event)
    digests = [_digest(model, input) for input in inputs]
    events = [known[digest].pop() if known[digest] else "planned" for digest in digests]
    unpaid = ("planned", "refused", "failed") if retry_failed else ("planned", "refused")
    return Plan(
        inputs=len(inputs),
        done=sum(event in ("finished", "failed") and event not in unpaid for event in events),
        running=events.count("submitted"),
        uncertain=sum(event in ("uncertain", "submitting") for event in events),
        to_pay=[(key, input) for key, input, event in zip(digests, inputs, events, strict=True) if event in unpaid],
        spent=total(entry.cost for entry in entries if entry.cost is not None and entry.event in BILLED),
    )


def quoted(ws: WaveSpeed, model: str, to_pay: Sequence[tuple[bytes, dict[str, Any]]], max_cost: float | None) -> Quote:
    """Get the price of inputs. Costs one request for each distinct input, at most `MOST_QUOTES`.

    Raises:
        WaveSpeedError: A price is not available.
    """
    by_digest = dict(to_pay)
    sample = list(by_digest)[:: -(-len(by_digest) // MOST_QUOTES) or 1]

    def price_of(digest: bytes) -> float | None:
        price = ws.price(model, by_digest[digest])
        try:
            check_cost(price, max_cost if max_cost is not None else 1e12)
        except CostLimitError:
            return None
        return price.discounted_price

    with ThreadPoolExecutor(AT_ONCE) as pool:
        prices = dict(zip(sample, pool.map(price_of, sample), strict=True))
    found = [prices[digest] for digest, _ in to_pay if digest in prices]
    amount = total(price for price in found if price is not None)
    complete = len(found) == len(to_pay)
    if not complete:
        amount = amount * len(to_pay) / len(found)
    exact = complete and not any(files_in(input) for input in by_digest.values())
    return Quote(amount, exact, found.count(None))


def _digest(model: str, input: dict[str, Any]) -> bytes:
    """Return an input's digest in the journal."""
    plain, _, attached = taken(input)
    if attached is not None:
        digests = {place: _sha256(cast("Path", file)) for place, file in attached.files.items()}
        plain, _ = evolve(attached, digests=digests).described()
    return digest_of(model, plain)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
