# Generated from spec/openapi.yaml by scripts/regenerate.py. Do not edit.
from typing import Literal

BillingQuerySort = Literal["created_at ASC", "created_at DESC"]

BILLING_QUERY_SORT_VALUES: set[BillingQuerySort] = {
    "created_at ASC",
    "created_at DESC",
}


def check_billing_query_sort(value: str) -> BillingQuerySort:
    if value in BILLING_QUERY_SORT_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {BILLING_QUERY_SORT_VALUES!r}")
