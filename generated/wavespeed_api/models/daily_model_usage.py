# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="DailyModelUsage")


@_attrs_define
class DailyModelUsage:
    """Usage of one model on one day."""

    model_uuid: str
    """ The model's id. """
    amount: float
    """ Cost in USD. """
    count: int
    """ Number of tasks. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_uuid = self.model_uuid

        amount = self.amount

        count = self.count

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_uuid": model_uuid,
                "amount": amount,
                "count": count,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_uuid = d.pop("model_uuid")

        amount = d.pop("amount")

        count = d.pop("count")

        daily_model_usage = cls(
            model_uuid=model_uuid,
            amount=amount,
            count=count,
        )

        daily_model_usage.additional_properties = d
        return daily_model_usage

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
