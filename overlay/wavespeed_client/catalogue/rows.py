"""Rows of the service's lists as plain data: models, prices, bills and usage. Missing values are None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

from attrs import NOTHING, Attribute, field, fields, frozen

from .listing import readable
from .values import mapping, number, text, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable

# In the metadata of a field: the function that reads its value.
READ = "read"


@frozen
class Row:
    """A row. The metadata of each field says how to read it; a field without metadata holds the unchanged row.

    The name of a field may end in an underscore that its name in the row lacks.
    """

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a row.

        Raises:
            TypeError: A required field is missing.
        """
        new: Callable[..., Self] = cls
        return new(**{each.name: _value(each, row) for each in fields(cls)})


def _value(each: Attribute[Any], row: dict[str, Any]) -> Any:
    name = each.name.removesuffix("_")
    value = each.metadata[READ](row.get(name)) if READ in each.metadata else row
    if value is None and each.default is NOTHING:
        raise TypeError(f"it has no {name}")
    return value


def each_of(kind: type[Row]) -> Callable[[object], Any]:
    """Return a function that reads the rows of a list within a row."""
    return lambda rows: tuple(readable(cast("list[object]", rows), kind.of)) if isinstance(rows, list) else None


def one_of(kind: type[Row]) -> Callable[[object], Any]:
    """Return a function that reads a row within a row."""
    return lambda row: kind.of(found) if (found := mapping(row)) is not None else None


def _currency(word: object) -> str | None:
    if not isinstance(word, str | None):
        raise TypeError("its currency is not text")
    return word


def _text_or_number(key: object) -> str | int | None:
    return text(key) or whole_number(key)


@frozen
class Model(Row):
    """A model of the catalogue.

    Attributes:
        model_id: Its id, for `submit`.
        name: Its name, usually the id.
        type_: The kind of model, such as text-to-image. New kinds may appear.
        base_price: The lowest price of a task, in USD.
        description: The service's description.
        api_schema: The JSON Schema of its input, wrapped as the service sends it.
        raw: The row of the response, unchanged and complete.
    """

    model_id: str = field(metadata={READ: text})
    name: str | None = field(default=None, metadata={READ: text})
    type_: str | None = field(default=None, metadata={READ: text})
    base_price: float | None = field(default=None, metadata={READ: number})
    description: str | None = field(default=None, metadata={READ: text})
    api_schema: dict[str, Any] | None = field(default=None, hash=False, repr=False, metadata={READ: mapping})
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)


@frozen
class Price(Row):
    """The price of a task.

    Attributes:
        discounted_price: The price that the account pays, in `currency`.
        price: The price without discount, in `currency`.
        discount_rate: The share of the price that is paid, in percent; 100 is no discount.
        currency: The currency; None means USD.
        model_id: The model.
        raw: The data of the response, unchanged and complete.
    """

    discounted_price: float = field(metadata={READ: number})
    price: float | None = field(default=None, metadata={READ: number})
    discount_rate: float | None = field(default=None, metadata={READ: number})
    currency: str | None = field(default=None, metadata={READ: _currency})
    model_id: str | None = field(default=None, metadata={READ: text})
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)


@frozen
class BilledOrder(Row):
    """The order behind a charge or refund.

    Attributes:
        uuid: Its id.
        state: Its state, such as pre or done.
        price: The price that is paid, in USD.
        origin_price: The price without discount, in USD.
    """

    uuid: str | None = field(default=None, metadata={READ: text})
    state: str | None = field(default=None, metadata={READ: text})
    price: float | None = field(default=None, metadata={READ: number})
    origin_price: float | None = field(default=None, metadata={READ: number})


@frozen
class BilledTask(Row):
    """The task behind a charge or refund.

    Attributes:
        uuid: Its id.
        model_uuid: Its model's id.
        status: Its status.
    """

    uuid: str | None = field(default=None, metadata={READ: text})
    model_uuid: str | None = field(default=None, metadata={READ: text})
    status: str | None = field(default=None, metadata={READ: text})


@frozen
class Billing(Row):
    """A charge or a refund.

    Attributes:
        uuid: The record's id.
        billing_type: deduct for a charge, refund for a refund.
        price: The amount in USD.
        created_at: When it was made, in UTC, as the service writes it.
        updated_at: When it was last changed, in UTC, as the service writes it.
        access_key_id: The number of the API key.
        access_key_name: The name of the API key.
        order: The order behind it.
        prediction: The task behind it.
        raw: The record of the response, unchanged and complete.
    """

    uuid: str = field(metadata={READ: text})
    billing_type: str | None = field(default=None, metadata={READ: text})
    price: float | None = field(default=None, metadata={READ: number})
    created_at: str | None = field(default=None, metadata={READ: text})
    updated_at: str | None = field(default=None, metadata={READ: text})
    access_key_id: str | int | None = field(default=None, metadata={READ: _text_or_number})
    access_key_name: str | None = field(default=None, metadata={READ: text})
    order: BilledOrder | None = field(default=None, metadata={READ: one_of(BilledOrder)})
    prediction: BilledTask | None = field(default=None, metadata={READ: one_of(BilledTask)})
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)


@frozen
class ModelUsage(Row):
    """Usage of one model.

    Attributes:
        model_uuid: The model's id.
        model_type: The kind of model, such as text-to-image.
        unit_price: The price of a task, in USD.
        total_cost: The cost in USD.
        total_count: The number of tasks.
        last_used_date: The day of the last task, as YYYY-MM-DD.
    """

    model_uuid: str = field(metadata={READ: text})
    model_type: str | None = field(default=None, metadata={READ: text})
    unit_price: float | None = field(default=None, metadata={READ: number})
    total_cost: float | None = field(default=None, metadata={READ: number})
    total_count: int | None = field(default=None, metadata={READ: whole_number})
    last_used_date: str | None = field(default=None, metadata={READ: text})


@frozen
class DailyModelUsage(Row):
    """Usage of one model on one day.

    Attributes:
        model_uuid: The model's id.
        amount: The cost in USD.
        count: The number of tasks.
    """

    model_uuid: str = field(metadata={READ: text})
    amount: float | None = field(default=None, metadata={READ: number})
    count: int | None = field(default=None, metadata={READ: whole_number})


@frozen
class DailyUsage(Row):
    """Usage on one day.

    Attributes:
        date: The day, as YYYY-MM-DD.
        amount: The cost in USD.
        count: The number of tasks.
        models: Usage of each model.
    """

    date: str = field(metadata={READ: text})
    amount: float | None = field(default=None, metadata={READ: number})
    count: int | None = field(default=None, metadata={READ: whole_number})
    models: tuple[DailyModelUsage, ...] | None = field(default=None, metadata={READ: each_of(DailyModelUsage)})


@frozen
class UsageSummary(Row):
    """Totals of a time span.

    Attributes:
        total_cost: The cost in USD.
        total_requests: The number of tasks.
        success_requests: The number of tasks that succeeded.
    """

    total_cost: float | None = field(default=None, metadata={READ: number})
    total_requests: int | None = field(default=None, metadata={READ: whole_number})
    success_requests: int | None = field(default=None, metadata={READ: whole_number})


def _summary(row: object) -> UsageSummary:
    return UsageSummary.of(mapping(row) or {})


@frozen
class UsageStats(Row):
    """Usage in a time span.

    Attributes:
        summary: The totals of the whole span; its fields are None if the service does not send them.
        per_model_usage: The totals of each model.
        daily_usage: The totals of each day.
        raw: The data of the response, unchanged and complete.
    """

    summary: UsageSummary = field(factory=UsageSummary, metadata={READ: _summary})
    per_model_usage: tuple[ModelUsage, ...] | None = field(default=None, metadata={READ: each_of(ModelUsage)})
    daily_usage: tuple[DailyUsage, ...] | None = field(default=None, metadata={READ: each_of(DailyUsage)})
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)
