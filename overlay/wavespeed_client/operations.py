"""The generated operations, each imported on first use: most programs call two of them."""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wavespeed_api.api.account import get_balance, get_usage, search_billings
    from wavespeed_api.api.media import create_upload
    from wavespeed_api.api.models import get_price, list_models
    from wavespeed_api.api.tasks import (
        delete_predictions,
        get_prediction,
        get_result,
        list_predictions,
        submit_task,
        submit_task_variant,
    )
    from wavespeed_api.api.webhooks import get_webhook_secret

_GROUPS = {
    "create_upload": "media",
    "delete_predictions": "tasks",
    "get_balance": "account",
    "get_prediction": "tasks",
    "get_price": "models",
    "get_result": "tasks",
    "get_usage": "account",
    "get_webhook_secret": "webhooks",
    "list_models": "models",
    "list_predictions": "tasks",
    "search_billings": "account",
    "submit_task": "tasks",
    "submit_task_variant": "tasks",
}

__all__ = (
    "create_upload",
    "delete_predictions",
    "get_balance",
    "get_prediction",
    "get_price",
    "get_result",
    "get_usage",
    "get_webhook_secret",
    "list_models",
    "list_predictions",
    "search_billings",
    "submit_task",
    "submit_task_variant",
)


def __getattr__(name: str) -> object:
    if name not in _GROUPS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    operation = import_module(f"wavespeed_api.api.{_GROUPS[name]}.{name}")
    globals()[name] = operation
    return operation
