# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.task_input import TaskInput


T = TypeVar("T", bound="PriceQuery")


@_attrs_define
class PriceQuery:
    """The task to price."""

    model_id: str
    """ The model's id. """
    inputs: TaskInput | Unset = UNSET
    """ A model's input. The fields listed here are common to many models; each model has other fields, too.
     """

    def to_dict(self) -> dict[str, Any]:
        model_id = self.model_id

        inputs: dict[str, Any] | Unset = UNSET
        if not isinstance(self.inputs, Unset):
            inputs = self.inputs.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "model_id": model_id,
            }
        )
        if inputs is not UNSET:
            field_dict["inputs"] = inputs

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.task_input import TaskInput  # noqa: PLC0415

        d = dict(src_dict)
        model_id = d.pop("model_id")

        _inputs = d.pop("inputs", UNSET)
        inputs: TaskInput | Unset
        if isinstance(_inputs, Unset):
            inputs = UNSET
        else:
            inputs = TaskInput.from_dict(_inputs)

        price_query = cls(
            model_id=model_id,
            inputs=inputs,
        )

        return price_query
