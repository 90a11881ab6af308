"""What became of the inputs: what the client said of each, held against what the origin took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# What the client says of an input.
TASK = "task"
UNCERTAIN = "uncertain"
NOT_TAKEN = "not taken"
# It raised what it does not document, or was stuck and said nothing.
NOTHING = "nothing"
WORDS = (TASK, UNCERTAIN, NOT_TAKEN, NOTHING)


@frozen
class Told:
    """What the client said of one input.

    Attributes:
        tag: The input's name.
        word: One of WORDS.
        ids: Every task id that it named for this input.
        error: What it raised, if it did.
    """

    tag: str
    word: str
    ids: tuple[str, ...] = ()
    error: str = ""

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Told:
        return cls(fields["tag"], fields["word"], tuple(fields["ids"]), fields["error"])


@frozen
class Record:
    """What the origin did.

    Attributes:
        taken: How often it took each tag.
        owners: The tag for which it gave each task id.
    """

    taken: Mapping[str, int]
    owners: Mapping[str, str]


@frozen
class Count:
    """What became of some inputs.

    Attributes:
        words: How many inputs each word was said of.
        taken: How many inputs the origin took.
        doubled: Those that it took more than once.
        lost: Those that it took, though the client called them neither a task nor uncertain.
        wrong: Those for which the client named an id that the origin gave to another, or never gave.
        silent: Those of which the client said nothing.
    """

    words: Mapping[str, int]
    taken: int = 0
    doubled: tuple[Told, ...] = ()
    lost: tuple[Told, ...] = ()
    wrong: tuple[Told, ...] = ()
    silent: tuple[Told, ...] = ()

    @property
    def submissions(self) -> int:
        return sum(self.words.values())

    @property
    def good(self) -> bool:
        return not (self.doubled or self.lost or self.wrong)


def count(tags: Iterable[str], said: Iterable[Told], record: Record) -> Count:
    """Count what became of inputs. Of those that the client does not mention it said nothing."""
    by_tag = {told.tag: told for told in said}
    all_told = [by_tag.get(tag, Told(tag, NOTHING)) for tag in tags]
    words = [told.word for told in all_told]
    return Count(
        {word: words.count(word) for word in WORDS},
        sum(told.tag in record.taken for told in all_told),
        doubled=tuple(told for told in all_told if record.taken.get(told.tag, 0) > 1),
        lost=tuple(told for told in all_told if told.tag in record.taken and told.word not in (TASK, UNCERTAIN)),
        wrong=tuple(told for told in all_told if any(record.owners.get(id) != told.tag for id in told.ids)),
        silent=tuple(told for told in all_told if told.word == NOTHING),
    )
