# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from typing import Literal

PredictionStatus = Literal[
    "cancelled", "completed", "created", "deleted", "failed", "pending", "processing", "timeout"
]

PREDICTION_STATUS_VALUES: set[PredictionStatus] = {
    "cancelled",
    "completed",
    "created",
    "deleted",
    "failed",
    "pending",
    "processing",
    "timeout",
}


def check_prediction_status(value: str) -> PredictionStatus:
    if value in PREDICTION_STATUS_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PREDICTION_STATUS_VALUES!r}")
