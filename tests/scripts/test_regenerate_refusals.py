"""What scripts/regenerate.py refuses, in one line and without changing anything."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scripts.project import (
    Entries,
    Spec,
    assert_refused,
    copy_of,
    regenerate,
    write_spec,
)

RESULT_PATH = "/api/v3/predictions/{prediction_id}/result"


def a_reference_to_nowhere(spec: Spec) -> None:
    spec["components"]["schemas"]["PredictionEnvelope"]["properties"]["data"]["$ref"] = "#/components/schemas/Nowhere"


def a_repeated_operation_id(spec: Spec) -> None:
    spec["paths"][RESULT_PATH]["get"]["operationId"] = "get_prediction"


def a_path_item_elsewhere(spec: Spec) -> None:
    spec["components"]["pathItems"] = {"Result": spec["paths"][RESULT_PATH]}
    spec["paths"][RESULT_PATH] = {"$ref": "#/components/pathItems/Result"}


def an_operation_without_an_id(spec: Spec) -> None:
    del spec["paths"][RESULT_PATH]["get"]["operationId"]


def an_operation_id_in_camel_case(spec: Spec) -> None:
    spec["paths"][RESULT_PATH]["get"]["operationId"] = "getResult"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (a_reference_to_nowhere, "Could not find reference"),
        (a_repeated_operation_id, "operationId used more than once: get_prediction"),
        (a_path_item_elsewhere, "/$ref: the generator ignores $ref here"),
        (an_operation_without_an_id, f"GET {RESULT_PATH} has no operationId"),
        (an_operation_id_in_camel_case, "there is no module api/tasks/getResult.py in the generated code"),
    ],
)
def test_a_spec_of_which_the_generator_would_lose_a_part_is_refused(
    project: Path, spec: Spec, spoil: Callable[[Spec], None], said: str
) -> None:
    spoilt = copy_of(spec)
    spoil(spoilt)
    write_spec(project, spoilt)
    assert_refused(project, regenerate(project), said)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("openapi: 3.1.0\n  info: ]\n", "spec/openapi.yaml is not valid YAML"),
        ("- openapi\n", "spec/openapi.yaml does not hold a mapping"),
        ("greeting: hello\n", """spec/openapi.yaml: #: "openapi" is a required property"""),
        ("openapi: 3.1.0\ninfo: &info [*info]\n", "spec/openapi.yaml holds what JSON cannot"),
    ],
)
def test_a_file_that_is_no_openapi_document_is_refused(project: Path, document: str, said: str) -> None:
    (project / "spec" / "openapi.yaml").write_text(document)
    assert_refused(project, regenerate(project), said)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 1 / 0 }}", "the generator broke on spec/openapi.yaml: ZeroDivisionError"),
        ("import (", "generated/wavespeed_api/models/__init__.py: the generated code breaks"),
        ("return", "generated/wavespeed_api/models/__init__.py would not compile: 'return' outside function"),
    ],
)
def test_generated_code_that_is_no_python_is_not_put_in_place(project: Path, template: str, said: str) -> None:
    with (project / "spec" / "templates" / "models_init.py.jinja").open("a") as file:
        file.write(template)
    assert_refused(project, regenerate(project), said)


def test_a_missing_spec_is_refused(project: Path) -> None:
    (project / "spec" / "openapi.yaml").unlink()
    assert_refused(project, regenerate(project), "spec/openapi.yaml is missing")


def test_a_date_that_json_cannot_hold_is_refused(project: Path) -> None:
    document = (ROOT / "spec" / "openapi.yaml").read_text("utf-8")
    unquoted = document.replace("created_at: '2026-01-01T00:00:00Z'", "created_at: 2026-01-01T00:00:00Z", 1)
    assert unquoted != document
    (project / "spec" / "openapi.yaml").write_text(unquoted, "utf-8")
    assert_refused(project, regenerate(project), "quote dates")


def test_an_unknown_option_of_the_generator_is_refused(project: Path) -> None:
    with (project / "spec" / "generator.yaml").open("a") as file:
        file.write("litteral_enums: true\n")
    assert_refused(project, regenerate(project), "the generator does not know: litteral_enums")


def test_a_project_file_without_pins_is_refused(project: Path) -> None:
    for content in ("[project]\n", "not = [toml"):
        (project / "pyproject.toml").write_text(content)
        assert_refused(project, regenerate(project), "pyproject.toml has no readable group codegen")


def test_text_that_is_not_unicode_is_refused(project: Path, spec: Spec) -> None:
    spoilt = copy_of(spec)
    spoilt["info"]["summary"] = "\ud800"
    (project / "spec" / "openapi.yaml").write_text(json.dumps(spoilt), "utf-8")
    assert_refused(project, regenerate(project), "spec/openapi.yaml")


def test_two_runs_at_once_do_not_touch_each_others_folders(project: Path, committed: Entries) -> None:
    folder = os.open(project / "generated", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        assert_refused(project, regenerate(project), "another run is under way")
    finally:
        os.close(folder)
    assert regenerate(project).returncode == 0


def test_an_unknown_argument_is_refused(project: Path) -> None:
    assert_refused(project, regenerate(project, "--chekc"), "unrecognized arguments: --chekc; see --help")


@pytest.mark.parametrize("name", ["openapi-python-client", "ruff"])
def test_another_version_of_a_pinned_tool_is_refused(project: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = project.parent / "other" / f"{name.replace('-', '_')}-0.0.1.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n")
    monkeypatch.syspath_prepend(project.parent / "other")
    done = regenerate(project)
    assert_refused(project, done, "is needed, 0.0.1 is installed: run scripts/install")
    assert done.stderr.startswith(f"regenerate.py: {name} ")
