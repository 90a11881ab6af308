# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="BillingOrder")


@_attrs_define
class BillingOrder:
    """An order."""

    uuid: None | str
    """ Its id. """
    state: None | str
    """ Where it stands, such as `pre` or `done`. """
    price: float | None
    """ What is paid, in USD. """
    origin_price: float | None
    """ Price without discount, in USD. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        uuid: None | str
        uuid = self.uuid

        state: None | str
        state = self.state

        price: float | None
        price = self.price

        origin_price: float | None
        origin_price = self.origin_price

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "uuid": uuid,
                "state": state,
                "price": price,
                "origin_price": origin_price,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_uuid(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        uuid = _parse_uuid(d.pop("uuid"))

        def _parse_state(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        state = _parse_state(d.pop("state"))

        def _parse_price(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        price = _parse_price(d.pop("price"))

        def _parse_origin_price(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        origin_price = _parse_origin_price(d.pop("origin_price"))

        billing_order = cls(
            uuid=uuid,
            state=state,
            price=price,
            origin_price=origin_price,
        )

        billing_order.additional_properties = d
        return billing_order

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
