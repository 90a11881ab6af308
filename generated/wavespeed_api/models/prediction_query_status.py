# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from typing import Literal

PredictionQueryStatus = Literal[
    "cancelled", "completed", "created", "deleted", "failed", "processing", "timeout"
]

PREDICTION_QUERY_STATUS_VALUES: set[PredictionQueryStatus] = {
    "cancelled",
    "completed",
    "created",
    "deleted",
    "failed",
    "processing",
    "timeout",
}


def check_prediction_query_status(value: str) -> PredictionQueryStatus:
    if value in PREDICTION_QUERY_STATUS_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {PREDICTION_QUERY_STATUS_VALUES!r}"
    )
