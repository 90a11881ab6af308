"""The pytest plugin, as a project sees it that has installed the package."""

import os

import pytest

from wavespeed_client.catalogue.schema import facts_of
from wavespeed_client.testing import FakeWaveSpeed
from wavespeed_client.typed.lock import Lock


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Import our modules: pytester unloads those that a run in this process imports, and keeps references to some."""
    with FakeWaveSpeed() as fake, fake.client() as ws:
        ws.submit("a/b", webhook="https://example.com/hook")


USES_THE_FIXTURE = """
import os, urllib.request
from wavespeed_client import WaveSpeed, Webhook

def test_first(fake_wavespeed):
    assert os.environ["WAVESPEED_BASE_URL"] == fake_wavespeed.url
    with WaveSpeed() as ws:
        task = ws.submit("wavespeed-ai/flux-dev", {"prompt": "a cat"}, webhook="https://example.com/hook")
    (delivery,) = fake_wavespeed.deliveries
    assert Webhook().parse(delivery.body, delivery.headers).id == task.id

def test_second_starts_empty_and_any_program_may_connect(fake_wavespeed):
    assert fake_wavespeed.calls == []
    url = os.environ["WAVESPEED_BASE_URL"] + "/api/v3/balance"
    headers = {"Authorization": "Bearer " + os.environ["WAVESPEED_API_KEY"]}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
        assert response.status == 200
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


def test_the_fixture_points_the_environment_to_a_stand_in(pytester: pytest.Pytester) -> None:
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
    result.stdout.fnmatch_lines(["The test broke the API's contract:", "GET /api/v3/account: no such path"])


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


LOADED = """
import pytest
from wavespeed_client import BadRequestError, WaveSpeed

def test_fits(fake_wavespeed):
    with WaveSpeed() as ws:
        ws.submit("a/b", {"size": "small"})
        ws.submit("not/loaded", {"size": "large"})

def test_does_not_fit(fake_wavespeed):
    with WaveSpeed() as ws, pytest.raises(BadRequestError):
        ws.submit("a/b", {"size": "large"})

def test_alone(fake_wavespeed):
    fake_wavespeed.load("locks/a.lock.json", only=True)
    assert fake_wavespeed.models == {"a/b"}
"""


def write_lock(pytester: pytest.Pytester, name: str) -> None:
    facts = facts_of({"properties": {"size": {"enum": ["small"]}}})
    (pytester.path / "locks").mkdir(exist_ok=True)
    (pytester.path / "locks" / name).write_text(Lock({"a/b": facts or {}}).text())


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\nwavespeed_models = locks/a.lock.json\n"),
        ("pytest.ini", "[pytest]\nwavespeed_models =\n    'locks/b c.lock.json'\n    locks/a.lock.json\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\nwavespeed_models = ["locks/a.lock.json"]\n'),
    ],
)
def test_the_option_loads_locks_for_every_test(pytester: pytest.Pytester, file: str, text: str) -> None:
    write_lock(pytester, "a.lock.json")
    write_lock(pytester, "b c.lock.json")
    (pytester.path / file).write_text(text)
    pytester.makepyfile(LOADED)
    result = pytester.runpytest_inprocess("-Werror", "--strict-config")
    result.assert_outcomes(passed=3, errors=1)
    violation = "POST /api/v3/a/b: size 'large' is not one of ['small']"
    result.stdout.fnmatch_lines(["The test broke the API's contract:", violation.replace("[", "[[]", 1)])


def test_paths_in_the_option_are_relative_to_the_file_that_names_them(pytester: pytest.Pytester) -> None:
    write_lock(pytester, "a.lock.json")
    pytester.makeini("[pytest]\nwavespeed_models = locks/a.lock.json\n")
    pytester.makepyfile("def test_it(fake_wavespeed):\n    assert 'a/b' in fake_wavespeed.models")
    (pytester.path / "elsewhere").mkdir()
    os.chdir(pytester.path / "elsewhere")
    pytester.runpytest_inprocess("..").assert_outcomes(passed=1)


def test_a_lock_that_is_not_there_fails_only_tests_that_use_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nwavespeed_models = none.lock.json\n")
    pytester.makepyfile("def test_other(): pass\ndef test_it(fake_wavespeed): pass")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["The ini option wavespeed_models: *none.lock.json does not exist: *"])
    assert "Traceback" not in result.stdout.str()
