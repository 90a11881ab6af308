"""Unofficial typed client for WaveSpeedAI's generation API, sync and async."""

from importlib import import_module

from ._version import __version__ as __version__

TYPE_CHECKING = False  # type checkers treat it as True; importing typing takes longer than all of this

if TYPE_CHECKING:
    from wavespeed_api.models import TaskInput

    from .async_client import AsyncWaveSpeed
    from .batch.outcome import Outcome, Progress
    from .batch.pay_again import pay_again
    from .batch.reading import JournalEntry, read_journal
    from .catalogue.model_info import ModelInfo, ModelInput
    from .catalogue.rows import Billing, Model, Price, UsageStats
    from .client import WaveSpeed
    from .errors import (
        APIConnectionError,
        APIError,
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
        CostLimitError,
        InvalidInputError,
        InvalidModelError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        ServerError,
        SubmissionUncertainError,
        TaskError,
        TaskFailedError,
        TaskTimeoutError,
        UnexpectedResponseError,
        WaveSpeedError,
        WebhookVerificationError,
    )
    from .files.kinds import FileInput
    from .settings import Settings
    from .task import Task
    from .webhooks import Webhook

__all__ = (
    "APIConnectionError",
    "APIError",
    "AsyncWaveSpeed",
    "AuthenticationError",
    "BadRequestError",
    "Billing",
    "ConfigurationError",
    "CostLimitError",
    "FileInput",
    "InvalidInputError",
    "InvalidModelError",
    "JournalEntry",
    "Model",
    "ModelInfo",
    "ModelInput",
    "NotFoundError",
    "Outcome",
    "PermissionDeniedError",
    "Price",
    "Progress",
    "RateLimitError",
    "ServerError",
    "Settings",
    "SubmissionUncertainError",
    "Task",
    "TaskError",
    "TaskFailedError",
    "TaskInput",
    "TaskTimeoutError",
    "UnexpectedResponseError",
    "UsageStats",
    "WaveSpeed",
    "WaveSpeedError",
    "Webhook",
    "WebhookVerificationError",
    "pay_again",
    "read_journal",
)

# The modules of these names. All other names are exceptions, from `.errors`.
_HOMES = {
    ".async_client": {"AsyncWaveSpeed"},
    ".batch.pay_again": {"pay_again"},
    ".batch.outcome": {"Outcome", "Progress"},
    ".batch.reading": {"JournalEntry", "read_journal"},
    ".catalogue.model_info": {"ModelInfo", "ModelInput"},
    ".catalogue.rows": {"Billing", "Model", "Price", "UsageStats"},
    ".client": {"WaveSpeed"},
    ".files.kinds": {"FileInput"},
    ".settings": {"Settings"},
    ".task": {"Task"},
    ".webhooks": {"Webhook"},
    "wavespeed_api.models": {"TaskInput"},
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), ".errors")
    value: object = getattr(import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
