"""The pytest plugin, as a project finds it that has installed the package."""

import pytest

USES_THE_FIXTURE = """
import os, urllib.request
from wavespeed_client import WaveSpeed, Webhook

def test_first(fake_wavespeed):
    assert os.environ["WAVESPEED_BASE_URL"] == fake_wavespeed.url
    with WaveSpeed() as ws:
        task = ws.submit("wavespeed-ai/flux-dev", {"prompt": "a cat"}, webhook="https://example.com/hook")
    (delivery,) = fake_wavespeed.deliveries
    assert Webhook().parse(delivery.body, delivery.headers).id == task.id

def test_second_starts_anew_and_any_program_may_ask(fake_wavespeed):
    assert fake_wavespeed.calls == []
    url = os.environ["WAVESPEED_BASE_URL"] + "/api/v3/balance"
    headers = {"Authorization": "Bearer " + os.environ["WAVESPEED_API_KEY"]}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        assert answer.status == 200
"""

BREAKS_THE_CONTRACT = """
import urllib.error, urllib.request

def test_breaks(fake_wavespeed):
    try:
        urllib.request.urlopen(fake_wavespeed.url + "/api/v3/account")
    except urllib.error.HTTPError as error:
        error.close()

def test_breaks_and_means_to(fake_wavespeed):
    try:
        urllib.request.urlopen(fake_wavespeed.url + "/api/v3/account")
    except urllib.error.HTTPError as error:
        error.close()
    assert "no such path" in fake_wavespeed.violations.pop()
"""


def test_the_fixture_gives_a_stand_in_that_the_environment_leads_to(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USES_THE_FIXTURE)
    pytester.runpytest_inprocess("-Werror").assert_outcomes(passed=2)


def test_the_environment_is_as_before_afterwards(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAVESPEED_API_KEY", "the-users-own")
    pytester.makepyfile(
        """
        import os
        def test_with(fake_wavespeed):
            assert os.environ["WAVESPEED_API_KEY"] == fake_wavespeed.api_key
        def test_without():
            assert os.environ["WAVESPEED_API_KEY"] == "the-users-own"
            assert "WAVESPEED_BASE_URL" not in os.environ
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_violation_fails_the_test_at_its_end(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BREAKS_THE_CONTRACT)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["Outside the API's contract:", "GET /api/v3/account: no such path"])


def test_without_the_extra_the_fixture_says_what_to_install(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import sys; sys.modules['werkzeug'] = None")
    pytester.makepyfile("def test_other(): pass\ndef test_it(fake_wavespeed): pass")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*werkzeug is missing: install wavespeed-client[[]testing[]]"])


def test_starting_pytest_imports_next_to_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys
        def test_imported():
            ours = {name for name in sys.modules if name.startswith("wavespeed")}
            kit = {"wavespeed_client.testing", "wavespeed_client.testing.plugin"}
            assert ours == {"wavespeed_client", "wavespeed_client._version", *kit}
            assert not {"httpx", "attrs", "jsonschema", "werkzeug"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "no:schemathesis", "-p", "no:pytest_httpserver").assert_outcomes(passed=1)
