# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Price")


@_attrs_define
class Price:
    """What a task would cost."""

    model_id: str
    """ The model's id. """
    price: float
    """ Price without discount, in `currency`. """
    discounted_price: float
    """ What the account pays, in `currency`. """
    discount_rate: float
    """ Share of the price that is paid, in percent; 100 is no discount. """
    currency: str
    """ The currency, `USD`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_id = self.model_id

        price = self.price

        discounted_price = self.discounted_price

        discount_rate = self.discount_rate

        currency = self.currency

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_id": model_id,
                "price": price,
                "discounted_price": discounted_price,
                "discount_rate": discount_rate,
                "currency": currency,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_id = d.pop("model_id")

        price = d.pop("price")

        discounted_price = d.pop("discounted_price")

        discount_rate = d.pop("discount_rate")

        currency = d.pop("currency")

        price = cls(
            model_id=model_id,
            price=price,
            discounted_price=discounted_price,
            discount_rate=discount_rate,
            currency=currency,
        )

        price.additional_properties = d
        return price

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
