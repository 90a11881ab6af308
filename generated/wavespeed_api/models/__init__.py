# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
"""The data models of requests and answers, each imported on first use."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .balance import Balance
    from .balance_envelope import BalanceEnvelope
    from .billed_order import BilledOrder
    from .billed_task import BilledTask
    from .billing import Billing
    from .billing_page import BillingPage
    from .billing_page_envelope import BillingPageEnvelope
    from .billing_query import BillingQuery
    from .billing_query_billing_type import BillingQueryBillingType
    from .billing_query_sort import BillingQuerySort
    from .binary_upload import BinaryUpload
    from .call_form import CallForm
    from .daily_model_usage import DailyModelUsage
    from .daily_usage import DailyUsage
    from .deletion import Deletion
    from .deletion_envelope import DeletionEnvelope
    from .deletion_query import DeletionQuery
    from .durations import Durations
    from .echoed_input import EchoedInput
    from .error_envelope import ErrorEnvelope
    from .model import Model
    from .model_usage import ModelUsage
    from .models_envelope import ModelsEnvelope
    from .prediction import Prediction
    from .prediction_envelope import PredictionEnvelope
    from .prediction_page import PredictionPage
    from .prediction_page_envelope import PredictionPageEnvelope
    from .prediction_query import PredictionQuery
    from .prediction_query_status import PredictionQueryStatus
    from .price import Price
    from .price_envelope import PriceEnvelope
    from .price_query import PriceQuery
    from .structured_output import StructuredOutput
    from .task_addresses import TaskAddresses
    from .task_input import TaskInput
    from .task_status import TaskStatus
    from .upload import Upload
    from .upload_envelope import UploadEnvelope
    from .upload_headers import UploadHeaders
    from .upload_query import UploadQuery
    from .upload_target import UploadTarget
    from .upload_ticket import UploadTicket
    from .upload_ticket_envelope import UploadTicketEnvelope
    from .usage_envelope import UsageEnvelope
    from .usage_query import UsageQuery
    from .usage_stats import UsageStats
    from .usage_summary import UsageSummary
    from .webhook_secret import WebhookSecret
    from .webhook_secret_envelope import WebhookSecretEnvelope

_MODULES = {
    "Balance": ".balance",
    "BalanceEnvelope": ".balance_envelope",
    "BilledOrder": ".billed_order",
    "BilledTask": ".billed_task",
    "Billing": ".billing",
    "BillingPage": ".billing_page",
    "BillingPageEnvelope": ".billing_page_envelope",
    "BillingQuery": ".billing_query",
    "BillingQueryBillingType": ".billing_query_billing_type",
    "BillingQuerySort": ".billing_query_sort",
    "BinaryUpload": ".binary_upload",
    "CallForm": ".call_form",
    "DailyModelUsage": ".daily_model_usage",
    "DailyUsage": ".daily_usage",
    "Deletion": ".deletion",
    "DeletionEnvelope": ".deletion_envelope",
    "DeletionQuery": ".deletion_query",
    "Durations": ".durations",
    "EchoedInput": ".echoed_input",
    "ErrorEnvelope": ".error_envelope",
    "Model": ".model",
    "ModelUsage": ".model_usage",
    "ModelsEnvelope": ".models_envelope",
    "Prediction": ".prediction",
    "PredictionEnvelope": ".prediction_envelope",
    "PredictionPage": ".prediction_page",
    "PredictionPageEnvelope": ".prediction_page_envelope",
    "PredictionQuery": ".prediction_query",
    "PredictionQueryStatus": ".prediction_query_status",
    "Price": ".price",
    "PriceEnvelope": ".price_envelope",
    "PriceQuery": ".price_query",
    "StructuredOutput": ".structured_output",
    "TaskAddresses": ".task_addresses",
    "TaskInput": ".task_input",
    "TaskStatus": ".task_status",
    "Upload": ".upload",
    "UploadEnvelope": ".upload_envelope",
    "UploadHeaders": ".upload_headers",
    "UploadQuery": ".upload_query",
    "UploadTarget": ".upload_target",
    "UploadTicket": ".upload_ticket",
    "UploadTicketEnvelope": ".upload_ticket_envelope",
    "UsageEnvelope": ".usage_envelope",
    "UsageQuery": ".usage_query",
    "UsageStats": ".usage_stats",
    "UsageSummary": ".usage_summary",
    "WebhookSecret": ".webhook_secret",
    "WebhookSecretEnvelope": ".webhook_secret_envelope",
}

__all__ = (
    "Balance",
    "BalanceEnvelope",
    "BilledOrder",
    "BilledTask",
    "Billing",
    "BillingPage",
    "BillingPageEnvelope",
    "BillingQuery",
    "BillingQueryBillingType",
    "BillingQuerySort",
    "BinaryUpload",
    "CallForm",
    "DailyModelUsage",
    "DailyUsage",
    "Deletion",
    "DeletionEnvelope",
    "DeletionQuery",
    "Durations",
    "EchoedInput",
    "ErrorEnvelope",
    "Model",
    "ModelsEnvelope",
    "ModelUsage",
    "Prediction",
    "PredictionEnvelope",
    "PredictionPage",
    "PredictionPageEnvelope",
    "PredictionQuery",
    "PredictionQueryStatus",
    "Price",
    "PriceEnvelope",
    "PriceQuery",
    "StructuredOutput",
    "TaskAddresses",
    "TaskInput",
    "TaskStatus",
    "Upload",
    "UploadEnvelope",
    "UploadHeaders",
    "UploadQuery",
    "UploadTarget",
    "UploadTicket",
    "UploadTicketEnvelope",
    "UsageEnvelope",
    "UsageQuery",
    "UsageStats",
    "UsageSummary",
    "WebhookSecret",
    "WebhookSecretEnvelope",
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
