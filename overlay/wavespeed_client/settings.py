"""The client's settings: argument, else environment variable, else default, resolved once."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from typing import TYPE_CHECKING, NoReturn, TypeGuard
from urllib.parse import urlsplit

from attrs import field, frozen

from ._version import __version__
from .errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

USER_AGENT = f"wavespeed-client/{__version__}"
DEFAULT_BASE_URL = "https://api.wavespeed.ai"
KEYS_URL = "https://wavespeed.ai/accesskey"
DEFAULT_TIMEOUT = 60.0
LONGEST_TIMEOUT = 24 * 60 * 60.0
DEFAULT_MAX_RETRIES = 3

_TOKEN = re.compile("[!-~]+")


class Secret:
    """A text that its repr masks and that cannot be pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        raise ConfigurationError("A secret cannot be pickled or copied: build the client where it is used.")


@frozen
class Settings:
    """The settings of a client, checked.

    Attributes:
        api_key: The key, which is sent only to the API's own origin. Its repr is masked.
        api_key_source: Where the key came from: the argument api_key, or WAVESPEED_API_KEY.
        base_url: The API's URL, without a trailing slash.
        timeout: Seconds for one attempt at a request, from connecting to the last byte.
        max_retries: How often a failed request is sent again; 0 turns retries off.
    """

    api_key: Secret
    base_url: str = DEFAULT_BASE_URL
    timeout: float = DEFAULT_TIMEOUT
    max_retries: int = DEFAULT_MAX_RETRIES
    api_key_source: str = field(default="the argument api_key", kw_only=True)

    @classmethod
    def resolve(
        cls,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
    ) -> Settings:
        """Resolve settings. An argument that is None is taken from the environment.

        Raises:
            ConfigurationError: Names the argument or variable that is missing or wrong.
        """
        key, source = _api_key(*given("api_key", api_key, "WAVESPEED_API_KEY"))
        return cls(
            api_key=key,
            api_key_source="the argument api_key" if source == "api_key" else source,
            base_url=_base_url(*given("base_url", base_url, "WAVESPEED_BASE_URL", DEFAULT_BASE_URL)),
            timeout=_seconds(*given("timeout", timeout, "WAVESPEED_TIMEOUT", DEFAULT_TIMEOUT)),
            max_retries=_count(*given("max_retries", max_retries, "WAVESPEED_MAX_RETRIES", DEFAULT_MAX_RETRIES)),
        )


def given(argument: str, value: object, variable: str, default: object = None) -> tuple[object, str]:
    """Return the value of an argument, else of its variable, else the default; and the name of its source."""
    if value is not None:
        return value, argument
    # No local variable holds the process's environment: a traceback may show those.
    text = os.environ.get(variable, "")
    return text if text.strip() else default, variable


def is_token(value: object) -> TypeGuard[str]:
    """Return whether a value is ASCII text without spaces and control characters, and not empty."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def url_parts(value: object) -> SplitResult | None:
    """Return the parts of a URL that has a host; None if the value is no such URL."""
    if not isinstance(value, str) or not value.isprintable() or " " in value or "\\" in value:
        return None
    try:
        parts = urlsplit(value)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def _api_key(value: object, name: str) -> tuple[Secret, str]:
    if value is None:
        raise ConfigurationError(f"No API key: pass api_key=... or set WAVESPEED_API_KEY. Make a key at {KEYS_URL}.")
    if not is_token(value):
        raise ConfigurationError(f"{name} must be ASCII text without spaces or line breaks: copy just the whole key.")
    return Secret(value), name


def _base_url(value: object, name: str) -> str:
    parts = url_parts(value)
    if parts is None:
        raise ConfigurationError(f"{name} is not a URL such as {DEFAULT_BASE_URL}.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ConfigurationError(f"{name} must begin with https:// (http:// is for this machine's own addresses only).")
    if "@" in parts.netloc or "?" in str(value) or "#" in str(value):
        raise ConfigurationError(f"{name} must not hold a user name, a password, a query or a fragment.")
    path = parts.path.rstrip("/")
    if path.endswith("/api/v3"):
        raise ConfigurationError(f"{name} must not end in /api/v3: the client adds that itself.")
    # In one spelling, so that two addresses can be compared.
    netloc = parts.netloc.lower().removesuffix(":443" if parts.scheme == "https" else ":80")
    return f"{parts.scheme}://{netloc}{path}"


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _seconds(value: object, name: str) -> float:
    try:
        seconds = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise ConfigurationError(f"{name} must be a number of seconds above 0, and at most a day.")
    return seconds


def _count(value: object, name: str) -> int:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigurationError(f"{name} must be a whole number, 0 or more.")
    return value
