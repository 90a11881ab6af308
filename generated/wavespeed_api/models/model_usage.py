# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ModelUsage")


@_attrs_define
class ModelUsage:
    """Usage of one model."""

    model_uuid: str
    """ The model's id. """
    total_cost: float
    """ Cost in USD. """
    total_count: int
    """ Number of tasks. """
    model_type: None | str | Unset = UNSET
    """ What it does, such as text-to-image. """
    unit_price: float | None | Unset = UNSET
    """ Price of a task, in USD. """
    last_used_date: None | str | Unset = UNSET
    """ Day of the last task, as YYYY-MM-DD. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_uuid = self.model_uuid

        total_cost = self.total_cost

        total_count = self.total_count

        model_type: None | str | Unset
        if isinstance(self.model_type, Unset):
            model_type = UNSET
        else:
            model_type = self.model_type

        unit_price: float | None | Unset
        if isinstance(self.unit_price, Unset):
            unit_price = UNSET
        else:
            unit_price = self.unit_price

        last_used_date: None | str | Unset
        if isinstance(self.last_used_date, Unset):
            last_used_date = UNSET
        else:
            last_used_date = self.last_used_date

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_uuid": model_uuid,
                "total_cost": total_cost,
                "total_count": total_count,
            }
        )
        if model_type is not UNSET:
            field_dict["model_type"] = model_type
        if unit_price is not UNSET:
            field_dict["unit_price"] = unit_price
        if last_used_date is not UNSET:
            field_dict["last_used_date"] = last_used_date

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_uuid = d.pop("model_uuid")

        total_cost = d.pop("total_cost")

        total_count = d.pop("total_count")

        def _parse_model_type(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model_type = _parse_model_type(d.pop("model_type", UNSET))

        def _parse_unit_price(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        unit_price = _parse_unit_price(d.pop("unit_price", UNSET))

        def _parse_last_used_date(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        last_used_date = _parse_last_used_date(d.pop("last_used_date", UNSET))

        model_usage = cls(
            model_uuid=model_uuid,
            total_cost=total_cost,
            total_count=total_count,
            model_type=model_type,
            unit_price=unit_price,
            last_used_date=last_used_date,
        )

        model_usage.additional_properties = d
        return model_usage

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
