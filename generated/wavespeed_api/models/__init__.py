# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
"""The data models of requests and answers, each imported on first use."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .error_envelope import ErrorEnvelope
    from .prediction import Prediction
    from .prediction_envelope import PredictionEnvelope
    from .prediction_page import PredictionPage
    from .prediction_page_envelope import PredictionPageEnvelope
    from .prediction_query import PredictionQuery
    from .prediction_query_status import PredictionQueryStatus
    from .prediction_status import PredictionStatus
    from .prediction_timings import PredictionTimings
    from .prediction_urls import PredictionUrls
    from .structured_output import StructuredOutput
    from .task_input import TaskInput

_MODULES = {
    "ErrorEnvelope": ".error_envelope",
    "Prediction": ".prediction",
    "PredictionEnvelope": ".prediction_envelope",
    "PredictionPage": ".prediction_page",
    "PredictionPageEnvelope": ".prediction_page_envelope",
    "PredictionQuery": ".prediction_query",
    "PredictionQueryStatus": ".prediction_query_status",
    "PredictionStatus": ".prediction_status",
    "PredictionTimings": ".prediction_timings",
    "PredictionUrls": ".prediction_urls",
    "StructuredOutput": ".structured_output",
    "TaskInput": ".task_input",
}

__all__ = (
    "ErrorEnvelope",
    "Prediction",
    "PredictionEnvelope",
    "PredictionPage",
    "PredictionPageEnvelope",
    "PredictionQuery",
    "PredictionQueryStatus",
    "PredictionStatus",
    "PredictionTimings",
    "PredictionUrls",
    "StructuredOutput",
    "TaskInput",
)


def __getattr__(name: str) -> object:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
