"""The types that a generated module uses: a model's token, and a covariant list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

I = TypeVar("I", bound=Mapping[str, Any])  # noqa: E741 # short, since it is in every signature
T_co = TypeVar("T_co", covariant=True)


class ModelOf(Generic[I]):
    """A model's id with the type of its input, for `use`. Can be pickled; it is not a string.

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
    """A covariant list: a `list[Path]` is a `ListOf[FileInput]`, although it is not a `list[FileInput]`.

    `reverse` excludes strings.
    """

    def __iter__(self) -> Iterator[T_co]: ...

    def __len__(self) -> int: ...

    def reverse(self) -> None: ...
