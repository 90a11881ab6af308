# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="TaskInput")


@_attrs_define
class TaskInput:
    """A model's input. The fields listed here are common to many models; each model has other fields, too."""

    prompt: str | Unset = UNSET
    """ What to generate, in words. """
    width: int | Unset = UNSET
    """ Width of the output, in pixels. """
    height: int | Unset = UNSET
    """ Height of the output, in pixels. """
    seed: int | Unset = UNSET
    """ Random seed. The same seed gives the same output; -1 chooses one at random. """
    stream: bool | Unset = UNSET
    """ Must not be true. That would return server-sent events instead of a task, and keep no record. """
    webhook_url: str | Unset = UNSET
    """ URL of a webhook for when the task has completed or failed. The service's submit page documents this field;
    its webhook guide documents the query parameter `webhook`.
     """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        prompt = self.prompt

        width = self.width

        height = self.height

        seed = self.seed

        stream = self.stream

        webhook_url = self.webhook_url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if prompt is not UNSET:
            field_dict["prompt"] = prompt
        if width is not UNSET:
            field_dict["width"] = width
        if height is not UNSET:
            field_dict["height"] = height
        if seed is not UNSET:
            field_dict["seed"] = seed
        if stream is not UNSET:
            field_dict["stream"] = stream
        if webhook_url is not UNSET:
            field_dict["webhook_url"] = webhook_url

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        prompt = d.pop("prompt", UNSET)

        width = d.pop("width", UNSET)

        height = d.pop("height", UNSET)

        seed = d.pop("seed", UNSET)

        stream = d.pop("stream", UNSET)

        webhook_url = d.pop("webhook_url", UNSET)

        task_input = cls(
            prompt=prompt,
            width=width,
            height=height,
            seed=seed,
            stream=stream,
            webhook_url=webhook_url,
        )

        task_input.additional_properties = d
        return task_input

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
