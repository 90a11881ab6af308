"""Rows of the account's lists, as plain data: models, prices, bills and usage. What the service did not say is None."""

from __future__ import annotations

from typing import Any, Self

from attrs import field, frozen

from .listing import part
from .values import mapping, number, text, whole_number


@frozen
class Model:
    """A model of the catalogue.

    Attributes:
        model_id: What to submit to.
        name: Its name, usually the id.
        type_: What it does, such as text-to-image. New words appear.
        base_price: The lowest price of a task, in USD.
        description: What it does, in words.
        api_schema: The form of its input, as JSON Schema, in the service's own wrapping.
        raw: The row as it came, with what the attributes above leave out.
    """

    model_id: str
    name: str | None = None
    type_: str | None = None
    base_price: float | None = None
    description: str | None = None
    api_schema: dict[str, Any] | None = field(default=None, hash=False, repr=False)
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a row.

        Raises:
            TypeError: It has no id.
        """
        return cls(
            model_id=_key(row, "model_id"),
            name=text(row.get("name")),
            type_=text(row.get("type")),
            base_price=number(row.get("base_price")),
            description=text(row.get("description")),
            api_schema=mapping(row.get("api_schema")),
            raw=row,
        )


@frozen
class Price:
    """What a task would cost.

    Attributes:
        discounted_price: What the account pays, in `currency`.
        price: The price without discount, in `currency`.
        discount_rate: The share of the price that is paid, in percent; 100 is no discount.
        currency: The currency; USD where it is None.
        model_id: The model.
        raw: The response's data as it came.
    """

    discounted_price: float
    price: float | None = None
    discount_rate: float | None = None
    currency: str | None = None
    model_id: str | None = None
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a price.

        Raises:
            TypeError: It does not tell what the account pays, or has a currency that is no text.
        """
        discounted, currency = number(row.get("discounted_price")), row.get("currency")
        if discounted is None:
            raise TypeError("it tells no discounted_price")
        if not isinstance(currency, str | None):
            raise TypeError("its currency is no text")
        return cls(
            discounted_price=discounted,
            price=number(row.get("price")),
            discount_rate=number(row.get("discount_rate")),
            currency=currency,
            model_id=text(row.get("model_id")),
            raw=row,
        )


@frozen
class BilledOrder:
    """The order behind a charge or refund.

    Attributes:
        uuid: Its id.
        state: Where it stands, such as pre or done.
        price: What is paid, in USD.
        origin_price: The price without discount, in USD.
    """

    uuid: str | None = None
    state: str | None = None
    price: float | None = None
    origin_price: float | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read an order."""
        price, origin_price = number(row.get("price")), number(row.get("origin_price"))
        return cls(text(row.get("uuid")), text(row.get("state")), price, origin_price)


@frozen
class BilledTask:
    """The task behind a charge or refund.

    Attributes:
        uuid: Its id.
        model_uuid: Its model's id.
        status: Where it stands.
    """

    uuid: str | None = None
    model_uuid: str | None = None
    status: str | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a task in short."""
        return cls(text(row.get("uuid")), text(row.get("model_uuid")), text(row.get("status")))


@frozen
class Billing:
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
        raw: The record as it came, with what the attributes above leave out.
    """

    uuid: str
    billing_type: str | None = None
    price: float | None = None
    created_at: str | None = None
    updated_at: str | None = None
    access_key_id: str | int | None = None
    access_key_name: str | None = None
    order: BilledOrder | None = None
    prediction: BilledTask | None = None
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a record.

        Raises:
            TypeError: It has no id.
        """
        order, task = mapping(row.get("order")), mapping(row.get("prediction"))
        key = row.get("access_key_id")
        return cls(
            uuid=_key(row, "uuid"),
            billing_type=text(row.get("billing_type")),
            price=number(row.get("price")),
            created_at=text(row.get("created_at")),
            updated_at=text(row.get("updated_at")),
            access_key_id=text(key) or whole_number(key),
            access_key_name=text(row.get("access_key_name")),
            order=None if order is None else BilledOrder.of(order),
            prediction=None if task is None else BilledTask.of(task),
            raw=row,
        )


@frozen
class ModelUsage:
    """Usage of one model.

    Attributes:
        model_uuid: The model's id.
        model_type: What it does, such as text-to-image.
        unit_price: The price of a task, in USD.
        total_cost: The cost in USD.
        total_count: The number of tasks.
        last_used_date: The day of the last task, as YYYY-MM-DD.
    """

    model_uuid: str
    model_type: str | None = None
    unit_price: float | None = None
    total_cost: float | None = None
    total_count: int | None = None
    last_used_date: str | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a row.

        Raises:
            TypeError: It names no model.
        """
        return cls(
            model_uuid=_key(row, "model_uuid"),
            model_type=text(row.get("model_type")),
            unit_price=number(row.get("unit_price")),
            total_cost=number(row.get("total_cost")),
            total_count=whole_number(row.get("total_count")),
            last_used_date=text(row.get("last_used_date")),
        )


@frozen
class DailyModelUsage:
    """Usage of one model on one day.

    Attributes:
        model_uuid: The model's id.
        amount: The cost in USD.
        count: The number of tasks.
    """

    model_uuid: str
    amount: float | None = None
    count: int | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a row.

        Raises:
            TypeError: It names no model.
        """
        return cls(_key(row, "model_uuid"), number(row.get("amount")), whole_number(row.get("count")))


@frozen
class DailyUsage:
    """Usage on one day.

    Attributes:
        date: The day, as YYYY-MM-DD.
        amount: The cost in USD.
        count: The number of tasks.
        models: Usage of each model.
    """

    date: str
    amount: float | None = None
    count: int | None = None
    models: tuple[DailyModelUsage, ...] | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read a row.

        Raises:
            TypeError: It names no day.
        """
        amount, count = number(row.get("amount")), whole_number(row.get("count"))
        return cls(_key(row, "date"), amount, count, part(row.get("models"), DailyModelUsage.of))


@frozen
class UsageSummary:
    """Totals of a time span.

    Attributes:
        total_cost: The cost in USD.
        total_requests: The number of tasks.
        success_requests: The number of tasks that succeeded.
    """

    total_cost: float | None = None
    total_requests: int | None = None
    success_requests: int | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read totals."""
        requests, successes = whole_number(row.get("total_requests")), whole_number(row.get("success_requests"))
        return cls(number(row.get("total_cost")), requests, successes)


@frozen
class UsageStats:
    """Usage in a time span.

    Attributes:
        summary: The totals of the whole span; its fields are None where the service tells none.
        per_model_usage: The totals of each model.
        daily_usage: The totals of each day.
        raw: The response's data as it came, with what the attributes above leave out.
    """

    summary: UsageSummary = field(factory=UsageSummary)
    per_model_usage: tuple[ModelUsage, ...] | None = None
    daily_usage: tuple[DailyUsage, ...] | None = None
    raw: dict[str, Any] = field(factory=dict[str, Any], eq=False, repr=False)

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """Read the response's data."""
        return cls(
            summary=UsageSummary.of(mapping(row.get("summary")) or {}),
            per_model_usage=part(row.get("per_model_usage"), ModelUsage.of),
            daily_usage=part(row.get("daily_usage"), DailyUsage.of),
            raw=row,
        )


def _key(row: dict[str, Any], name: str) -> str:
    key = text(row.get(name))
    if key is None:
        raise TypeError(f"it has no {name}")
    return key
