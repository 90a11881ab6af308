# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.daily_model_usage import DailyModelUsage


T = TypeVar("T", bound="DailyUsage")


@_attrs_define
class DailyUsage:
    """Usage on one day."""

    date: str
    """ The day, as YYYY-MM-DD. """
    amount: float
    """ Cost in USD. """
    count: int
    """ Number of tasks. """
    models: list[DailyModelUsage | None] | None | Unset = UNSET
    """ The day's models. Null or missing when there are none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.daily_model_usage import DailyModelUsage  # noqa: PLC0415

        date = self.date

        amount = self.amount

        count = self.count

        models: list[dict[str, Any] | None] | None | Unset
        if isinstance(self.models, Unset):
            models = UNSET
        elif isinstance(self.models, list):
            models = []
            for models_type_0_item_data in self.models:
                models_type_0_item: dict[str, Any] | None
                if isinstance(models_type_0_item_data, DailyModelUsage):
                    models_type_0_item = models_type_0_item_data.to_dict()
                else:
                    models_type_0_item = models_type_0_item_data
                models.append(models_type_0_item)

        else:
            models = self.models

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "date": date,
                "amount": amount,
                "count": count,
            }
        )
        if models is not UNSET:
            field_dict["models"] = models

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.daily_model_usage import DailyModelUsage  # noqa: PLC0415

        d = dict(src_dict)
        date = d.pop("date")

        amount = d.pop("amount")

        count = d.pop("count")

        def _parse_models(data: object) -> list[DailyModelUsage | None] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                models_type_0 = []
                _models_type_0 = data
                for models_type_0_item_data in _models_type_0:

                    def _parse_models_type_0_item(data: object) -> DailyModelUsage | None:
                        if data is None:
                            return data
                        try:
                            if not isinstance(data, dict):
                                raise TypeError()
                            models_type_0_item_type_0 = DailyModelUsage.from_dict(data)

                            return models_type_0_item_type_0
                        except (TypeError, ValueError, AttributeError, KeyError):
                            pass
                        return cast(DailyModelUsage | None, data)

                    models_type_0_item = _parse_models_type_0_item(models_type_0_item_data)

                    models_type_0.append(models_type_0_item)

                return models_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[DailyModelUsage | None] | None | Unset, data)

        models = _parse_models(d.pop("models", UNSET))

        daily_usage = cls(
            date=date,
            amount=amount,
            count=count,
            models=models,
        )

        daily_usage.additional_properties = d
        return daily_usage

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
