"""What a written file is made of: the token of a model, and lists taken for what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

I = TypeVar("I", bound=Mapping[str, Any])  # noqa: E741 # it stands in every signature
T_co = TypeVar("T_co", covariant=True)


class ModelOf(Generic[I]):
    """A model's id together with the type of its input, for `use`. It is no string, and can be pickled.

    Attributes:
        id: The model's id, such as wavespeed-ai/flux-dev.
    """

    __slots__ = ("_id",)

    def __init__(self, id: str) -> None:
        self._id = id

    @property
    def id(self) -> str:
        return self._id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ModelOf) and self._id == other.id

    def __hash__(self) -> int:
        return hash(self._id)

    def __repr__(self) -> str:
        return f"ModelOf({self._id!r})"


class ListOf(Protocol[T_co]):
    """A list, taken for what it holds: a list of paths is one of files, which `list[FileInput]` would not be.

    A string is none, although it is a sequence of strings.
    """

    def __iter__(self) -> Iterator[T_co]: ...

    def __len__(self) -> int: ...

    def reverse(self) -> None: ...
