# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from typing import Literal

BillingQueryBillingType = Literal["deduct", "refund"]

BILLING_QUERY_BILLING_TYPE_VALUES: set[BillingQueryBillingType] = {
    "deduct",
    "refund",
}


def check_billing_query_billing_type(value: str) -> BillingQueryBillingType:
    if value in BILLING_QUERY_BILLING_TYPE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {BILLING_QUERY_BILLING_TYPE_VALUES!r}"
    )
