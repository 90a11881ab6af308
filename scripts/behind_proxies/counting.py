"""Compare what the client reported about each input with what the origin accepted."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from behind_proxies.origin import Record

# What the client reports about an input. NOTHING: it raised an undocumented error, or was stuck.
TASK, UNCERTAIN, NOT_TAKEN, NOTHING = "tasks", "uncertain", "not taken", "nothing"
# The origin accepted an input more than once; the origin accepted it, but the client reported neither a task nor
# uncertainty; the client named a task id that the origin gave to another input, or to none.
DOUBLED, LOST, WRONG = "doubled", "lost", "wrong ids"
COLUMNS = ("submitted", "taken", TASK, UNCERTAIN, NOT_TAKEN, NOTHING, DOUBLED, LOST, WRONG)


@frozen
class Told:
    """What the client reported about the input with a tag: a word, the task ids that it named, and its exception."""

    tag: str
    word: str
    ids: Sequence[str] = ()
    error: str = ""


def count(tags: Iterable[str], said: Iterable[Told], record: Record) -> tuple[Counter[str], dict[str, list[Told]]]:
    """Count the results of inputs: a number for each of COLUMNS, and the inputs with each kind of fault.

    An input that the client did not mention counts as NOTHING.
    """
    by_tag = {told.tag: told for told in said}
    every = [by_tag.get(tag, Told(tag, NOTHING)) for tag in tags]
    faults = {
        NOTHING: [told for told in every if told.word == NOTHING],
        DOUBLED: [told for told in every if record.taken[told.tag] > 1],
        LOST: [told for told in every if record.taken[told.tag] and told.word not in (TASK, UNCERTAIN)],
        WRONG: [told for told in every if any(record.owners.get(id) != told.tag for id in told.ids)],
    }
    figures = Counter(told.word for told in every)
    figures.update({fault: len(faults[fault]) for fault in (DOUBLED, LOST, WRONG)})
    figures.update(submitted=len(every), taken=sum(record.taken[told.tag] > 0 for told in every))
    return figures, {fault: inputs for fault, inputs in faults.items() if inputs}
