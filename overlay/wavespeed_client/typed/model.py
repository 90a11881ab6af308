"""TypedModel and AsyncTypedModel: a client's methods for one model, with a typed input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, overload

from attrs import field, frozen

from ..arguments import model_id
from ..errors import InvalidInputError
from .token import I, ModelOf

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
    from os import PathLike

    from ..arguments import OnUpdate
    from ..async_client import AsyncWaveSpeed
    from ..batch.outcome import Outcome, Progress
    from ..catalogue.rows import Price
    from ..client import WaveSpeed
    from ..task import Task


def id_of(model: ModelOf[Any]) -> str:
    """Return the model id of a token.

    Raises:
        InvalidInputError: This is not a token.
        InvalidModelError: Its id is not a valid model id.
    """
    if not isinstance(model, ModelOf):  # pyright: ignore[reportUnnecessaryIsInstance] # callers without a type checker
        raise InvalidInputError(
            f"use takes a ModelOf from a module that `python -m wavespeed_client.typed` wrote, not "
            f"{type(model).__name__}. With a model id, call run(id, input)."
        )
    return model_id(model.id)


@frozen
class TypedModel(Generic[I]):
    """A client's methods for one model, with a typed input. See `WaveSpeed` for arguments and errors.

    Attributes:
        id: The model's id.
    """

    id: str
    _client: WaveSpeed = field(repr=False)

    def submit(self, input: I, *, webhook: str | None = None) -> Task:
        """Submit a task, like `WaveSpeed.submit`. Costs money."""
        return self._client.submit(self.id, input, webhook=webhook)

    def run(
        self,
        input: I,
        *,
        timeout: float | None = 600.0,
        on_update: OnUpdate = None,
        max_cost: float | None = None,
    ) -> Task:
        """Submit a task and wait until it has completed, like `WaveSpeed.run`. Costs money."""
        return self._client.run(self.id, input, timeout=timeout, on_update=on_update, max_cost=max_cost)

    def run_many(
        self,
        inputs: Iterable[I],
        *,
        max_in_flight: int = 8,
        max_per_minute: int | None = None,
        timeout: float | None = 600.0,
        journal: str | PathLike[str] | None = None,
        batch: str | None = None,
        max_cost: float | None = None,
        budget: float | None = None,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Generator[Outcome]:
        """Run many inputs, and yield outcomes as they arrive, like `WaveSpeed.run_many`. Costs money."""
        return self._client.run_many(
            self.id,
            inputs,
            max_in_flight=max_in_flight,
            max_per_minute=max_per_minute,
            timeout=timeout,
            journal=journal,
            batch=batch,
            max_cost=max_cost,
            budget=budget,
            retry_failed=retry_failed,
            on_progress=on_progress,
        )

    def price(self, input: I | None = None) -> Price:
        """Return the price of a task, like `WaveSpeed.price`, which also accepts an incomplete input. One request."""
        return self._client.price(self.id, input)


@frozen
class AsyncTypedModel(Generic[I]):
    """Async `TypedModel`."""

    id: str
    _client: AsyncWaveSpeed = field(repr=False)

    async def submit(self, input: I, *, webhook: str | None = None) -> Task:
        """Async `TypedModel.submit`."""
        return await self._client.submit(self.id, input, webhook=webhook)

    async def run(
        self,
        input: I,
        *,
        timeout: float | None = 600.0,
        on_update: OnUpdate = None,
        max_cost: float | None = None,
    ) -> Task:
        """Async `TypedModel.run`."""
        return await self._client.run(self.id, input, timeout=timeout, on_update=on_update, max_cost=max_cost)

    # Two overloads: with a union, pyright cannot infer the items of a generator.
    @overload
    def run_many(
        self,
        inputs: Iterable[I],
        *,
        max_in_flight: int = 8,
        max_per_minute: int | None = None,
        timeout: float | None = 600.0,
        journal: str | PathLike[str] | None = None,
        batch: str | None = None,
        max_cost: float | None = None,
        budget: float | None = None,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> AsyncGenerator[Outcome]: ...

    @overload
    def run_many(
        self,
        inputs: AsyncIterable[I],
        *,
        max_in_flight: int = 8,
        max_per_minute: int | None = None,
        timeout: float | None = 600.0,
        journal: str | PathLike[str] | None = None,
        batch: str | None = None,
        max_cost: float | None = None,
        budget: float | None = None,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> AsyncGenerator[Outcome]: ...

    def run_many(
        self,
        inputs: Iterable[I] | AsyncIterable[I],
        *,
        max_in_flight: int = 8,
        max_per_minute: int | None = None,
        timeout: float | None = 600.0,
        journal: str | PathLike[str] | None = None,
        batch: str | None = None,
        max_cost: float | None = None,
        budget: float | None = None,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> AsyncGenerator[Outcome]:
        """Async `TypedModel.run_many`."""
        return self._client.run_many(
            self.id,
            inputs,
            max_in_flight=max_in_flight,
            max_per_minute=max_per_minute,
            timeout=timeout,
            journal=journal,
            batch=batch,
            max_cost=max_cost,
            budget=budget,
            retry_failed=retry_failed,
            on_progress=on_progress,
        )

    async def price(self, input: I | None = None) -> Price:
        """Async `TypedModel.price`."""
        return await self._client.price(self.id, input)
