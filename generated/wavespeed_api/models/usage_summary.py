# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="UsageSummary")


@_attrs_define
class UsageSummary:
    """Totals."""

    total_cost: float | None | Unset = UNSET
    """ Cost in USD. """
    total_requests: int | None | Unset = UNSET
    """ Number of tasks. """
    success_requests: int | None | Unset = UNSET
    """ Number of tasks that succeeded. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        total_cost: float | None | Unset
        if isinstance(self.total_cost, Unset):
            total_cost = UNSET
        else:
            total_cost = self.total_cost

        total_requests: int | None | Unset
        if isinstance(self.total_requests, Unset):
            total_requests = UNSET
        else:
            total_requests = self.total_requests

        success_requests: int | None | Unset
        if isinstance(self.success_requests, Unset):
            success_requests = UNSET
        else:
            success_requests = self.success_requests

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if total_cost is not UNSET:
            field_dict["total_cost"] = total_cost
        if total_requests is not UNSET:
            field_dict["total_requests"] = total_requests
        if success_requests is not UNSET:
            field_dict["success_requests"] = success_requests

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_total_cost(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        total_cost = _parse_total_cost(d.pop("total_cost", UNSET))

        def _parse_total_requests(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        total_requests = _parse_total_requests(d.pop("total_requests", UNSET))

        def _parse_success_requests(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        success_requests = _parse_success_requests(d.pop("success_requests", UNSET))

        usage_summary = cls(
            total_cost=total_cost,
            total_requests=total_requests,
            success_requests=success_requests,
        )

        usage_summary.additional_properties = d
        return usage_summary

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
