"""Settings: argument, else environment variable, else default; each mistake named, no value shown."""

import copy
import pickle
import traceback

import pytest

from wavespeed_client import AsyncWaveSpeed, ConfigurationError, Settings, WaveSpeed

KEY = "wsk_live_secret"


def resolve(**arguments: object) -> Settings:
    """Resolve settings with these arguments, and with variables of the environment, whose names are upper case."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(arguments):
            if name.isupper():
                patch.setenv(name, str(arguments.pop(name)))
        return Settings.resolve(**{"api_key": KEY, **arguments})  # type: ignore[arg-type]


def test_settings_have_the_documented_defaults() -> None:
    settings = resolve()
    assert settings.api_key.reveal() == KEY
    assert (settings.base_url, settings.timeout, settings.max_retries) == ("https://api.wavespeed.ai", 60.0, 3)


def test_environment_beats_defaults_and_arguments_beat_the_environment() -> None:
    variables = {
        "WAVESPEED_BASE_URL": "http://localhost:1/",
        "WAVESPEED_TIMEOUT": "1.5",
        "WAVESPEED_MAX_RETRIES": "0",
        "WAVESPEED_API_KEY": "from-environment",
    }
    settings = resolve(api_key=None, **variables)
    assert settings.api_key.reveal() == "from-environment"
    assert (settings.base_url, settings.timeout, settings.max_retries) == ("http://localhost:1", 1.5, 0)
    settings = resolve(base_url="https://example.com/gate/", timeout=2, max_retries=7, **variables)
    assert settings.api_key.reveal() == KEY
    assert (settings.base_url, settings.timeout, settings.max_retries) == ("https://example.com/gate", 2.0, 7)


def test_the_environment_is_read_when_a_client_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="WAVESPEED_API_KEY"):
        WaveSpeed()
    monkeypatch.setenv("WAVESPEED_API_KEY", KEY)
    monkeypatch.setenv("WAVESPEED_BASE_URL", "http://127.0.0.1:9")
    for client in (WaveSpeed(), AsyncWaveSpeed()):
        assert client.settings.base_url == "http://127.0.0.1:9"
        assert client.settings.api_key.reveal() == KEY


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_blank_variables_count_as_unset(blank: str) -> None:
    settings = resolve(WAVESPEED_BASE_URL=blank, WAVESPEED_TIMEOUT=blank, WAVESPEED_MAX_RETRIES=blank)
    assert settings == resolve() or settings.base_url == resolve().base_url
    with pytest.raises(ConfigurationError, match="No API key"):
        resolve(api_key=None, WAVESPEED_API_KEY=blank)


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "abc\n", "a\r\nX-Header: 1", "schlüssel", "a\x00b", "\tabc", 5, b"abc"]
)
def test_invalid_keys_are_refused_without_being_quoted(key: object) -> None:
    with pytest.raises(ConfigurationError, match="api_key") as caught:
        resolve(api_key=key)
    assert str(key).strip() == "" or str(key) not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.wavespeed.ai",
        "http://192.168.0.1",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "api.wavespeed.ai",
        "https://",
        "https://example.com?x=1",
        "https://example.com?",
        "https://example.com#f",
        "https://user:s3cret@example.com",
        "https://exa mple.com",
        "https://example.com\n",
        "https://example.com:port",
        "https://example.com:99999",
        "https://example.com:0",
        "https://example.com\\@evil.example",
        "https://[::1",
        "https://example.com/api/v3",
        "https://example.com/api/v3/",
        "\\\\example",
        7,
    ],
)
@pytest.mark.parametrize("source", ["base_url", "WAVESPEED_BASE_URL"])
def test_invalid_base_urls_are_refused(url: object, source: str) -> None:
    with pytest.raises(ConfigurationError, match=source) as caught:
        resolve(**{source: url})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://localhost:8080", "http://127.0.0.2:1", "http://[::1]:1", "https://a.b/c/d"])
def test_valid_base_urls_are_kept(url: str) -> None:
    assert resolve(base_url=url).base_url == url


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://API.Example.com:443/Gate/", "https://api.example.com/Gate"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://localhost:80/", "http://localhost"),
        ("https://example.com:80", "https://example.com:80"),
    ],
)
def test_base_urls_are_made_canonical(url: str, canonical: str) -> None:
    assert resolve(base_url=url).base_url == canonical


@pytest.mark.parametrize("value", ["abc", "0", "-1", "nan", "inf", "1e999", "1,5", "٣s", "86401"])
def test_invalid_timeouts_in_the_environment_are_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"WAVESPEED_TIMEOUT must be .* above 0, and at most a day"):
        resolve(WAVESPEED_TIMEOUT=value)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, [], 10**400])
def test_invalid_timeout_arguments_are_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match="timeout must be"):
        resolve(timeout=value)


@pytest.mark.parametrize("value", ["abc", "-1", "1.0", "9" * 5000])
def test_invalid_retry_counts_in_the_environment_are_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="WAVESPEED_MAX_RETRIES must be a whole number"):
        resolve(WAVESPEED_MAX_RETRIES=value)


@pytest.mark.parametrize("value", [-1, 1.5, True, []])
def test_invalid_retry_arguments_are_refused(value: object) -> None:
    with pytest.raises(ConfigurationError, match="max_retries must be a whole number"):
        resolve(max_retries=value)


def test_the_key_is_shown_nowhere_and_goes_into_no_pickle() -> None:
    settings = resolve()
    for shown in (repr(settings), str(settings), repr(settings.api_key), f"{settings.api_key}"):
        assert KEY not in shown
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(ConfigurationError, match="cannot be pickled"):
            copied(settings)
    with pytest.raises(AttributeError):
        settings.timeout = 1.0  # type: ignore[misc]


def test_the_environment_is_in_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAVESPEED_API_KEY", KEY)
    for kind in (WaveSpeed, AsyncWaveSpeed):
        with pytest.raises(ConfigurationError) as caught:
            kind(timeout=-1)
        shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
        assert KEY not in shown
        assert "kind = <class" in shown  # so local variables are shown
