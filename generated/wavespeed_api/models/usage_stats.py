# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.daily_usage import DailyUsage
    from ..models.model_usage import ModelUsage
    from ..models.usage_summary import UsageSummary


T = TypeVar("T", bound="UsageStats")


@_attrs_define
class UsageStats:
    """Usage in a time span."""

    per_model_usage: list[ModelUsage | None] | None | Unset = UNSET
    """ Totals of each model. Null when there are none. """
    daily_usage: list[DailyUsage | None] | None | Unset = UNSET
    """ Totals of each day. Null when there are none. """
    summary: None | Unset | UsageSummary = UNSET
    """ Totals of the whole span. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.daily_usage import DailyUsage  # noqa: PLC0415
        from ..models.model_usage import ModelUsage  # noqa: PLC0415
        from ..models.usage_summary import UsageSummary  # noqa: PLC0415

        per_model_usage: list[dict[str, Any] | None] | None | Unset
        if isinstance(self.per_model_usage, Unset):
            per_model_usage = UNSET
        elif isinstance(self.per_model_usage, list):
            per_model_usage = []
            for per_model_usage_type_0_item_data in self.per_model_usage:
                per_model_usage_type_0_item: dict[str, Any] | None
                if isinstance(per_model_usage_type_0_item_data, ModelUsage):
                    per_model_usage_type_0_item = per_model_usage_type_0_item_data.to_dict()
                else:
                    per_model_usage_type_0_item = per_model_usage_type_0_item_data
                per_model_usage.append(per_model_usage_type_0_item)

        else:
            per_model_usage = self.per_model_usage

        daily_usage: list[dict[str, Any] | None] | None | Unset
        if isinstance(self.daily_usage, Unset):
            daily_usage = UNSET
        elif isinstance(self.daily_usage, list):
            daily_usage = []
            for daily_usage_type_0_item_data in self.daily_usage:
                daily_usage_type_0_item: dict[str, Any] | None
                if isinstance(daily_usage_type_0_item_data, DailyUsage):
                    daily_usage_type_0_item = daily_usage_type_0_item_data.to_dict()
                else:
                    daily_usage_type_0_item = daily_usage_type_0_item_data
                daily_usage.append(daily_usage_type_0_item)

        else:
            daily_usage = self.daily_usage

        summary: dict[str, Any] | None | Unset
        if isinstance(self.summary, Unset):
            summary = UNSET
        elif isinstance(self.summary, UsageSummary):
            summary = self.summary.to_dict()
        else:
            summary = self.summary

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if per_model_usage is not UNSET:
            field_dict["per_model_usage"] = per_model_usage
        if daily_usage is not UNSET:
            field_dict["daily_usage"] = daily_usage
        if summary is not UNSET:
            field_dict["summary"] = summary

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.daily_usage import DailyUsage  # noqa: PLC0415
        from ..models.model_usage import ModelUsage  # noqa: PLC0415
        from ..models.usage_summary import UsageSummary  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_per_model_usage(data: object) -> list[ModelUsage | None] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                per_model_usage_type_0 = []
                _per_model_usage_type_0 = data
                for per_model_usage_type_0_item_data in _per_model_usage_type_0:

                    def _parse_per_model_usage_type_0_item(data: object) -> ModelUsage | None:
                        if data is None:
                            return data
                        try:
                            if not isinstance(data, dict):
                                raise TypeError()
                            per_model_usage_type_0_item_type_0 = ModelUsage.from_dict(data)

                            return per_model_usage_type_0_item_type_0
                        except (TypeError, ValueError, AttributeError, KeyError):
                            pass
                        return cast(ModelUsage | None, data)

                    per_model_usage_type_0_item = _parse_per_model_usage_type_0_item(
                        per_model_usage_type_0_item_data
                    )

                    per_model_usage_type_0.append(per_model_usage_type_0_item)

                return per_model_usage_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[ModelUsage | None] | None | Unset, data)

        per_model_usage = _parse_per_model_usage(d.pop("per_model_usage", UNSET))

        def _parse_daily_usage(data: object) -> list[DailyUsage | None] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                daily_usage_type_0 = []
                _daily_usage_type_0 = data
                for daily_usage_type_0_item_data in _daily_usage_type_0:

                    def _parse_daily_usage_type_0_item(data: object) -> DailyUsage | None:
                        if data is None:
                            return data
                        try:
                            if not isinstance(data, dict):
                                raise TypeError()
                            daily_usage_type_0_item_type_0 = DailyUsage.from_dict(data)

                            return daily_usage_type_0_item_type_0
                        except (TypeError, ValueError, AttributeError, KeyError):
                            pass
                        return cast(DailyUsage | None, data)

                    daily_usage_type_0_item = _parse_daily_usage_type_0_item(
                        daily_usage_type_0_item_data
                    )

                    daily_usage_type_0.append(daily_usage_type_0_item)

                return daily_usage_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[DailyUsage | None] | None | Unset, data)

        daily_usage = _parse_daily_usage(d.pop("daily_usage", UNSET))

        def _parse_summary(data: object) -> None | Unset | UsageSummary:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                summary_type_0 = UsageSummary.from_dict(data)

                return summary_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | UsageSummary, data)

        summary = _parse_summary(d.pop("summary", UNSET))

        usage_stats = cls(
            per_model_usage=per_model_usage,
            daily_usage=daily_usage,
            summary=summary,
        )

        usage_stats.additional_properties = d
        return usage_stats

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
