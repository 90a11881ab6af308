"""scripts/spec_diff.py, run by a person and by a program, and its errors for files that are no documents."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
from compatibility.document import Document, load, parse
from compatibility.package import Package, generate
from compatibility.verdict import compare
from generation.refusal import SpecError

SPEC = str(ROOT / "spec" / "openapi.yaml")
HEAD = """\
openapi: 3.1.0
info: { title: Shop, version: 1.0.0 }
"""
# Schemas that contain themselves in every possible way, and two ways of using them.
RECURSIVE = f"""{HEAD}
paths:
  /tree:
    post:
      operationId: plant_tree
      tags: [trees]
      requestBody:
        required: true
        content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Tree' }} }} }}
      responses:
        '200':
          description: The tree.
          content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Tree' }} }} }}
components:
  schemas:
    Tree:
      type: object
      properties:
        left: {{ $ref: '#/components/schemas/Tree' }}
        right: {{ anyOf: [{{ $ref: '#/components/schemas/Tree' }}, {{ type: 'null' }}] }}
        leaves: {{ type: array, items: {{ $ref: '#/components/schemas/Leaf' }} }}
    Leaf:
      type: object
      properties:
        tree: {{ $ref: '#/components/schemas/Tree' }}
        size: {{ type: integer, maximum: 10 }}
"""


def spec_diff(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "spec_diff.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def lines(old: str, new: str, folder: Path) -> list[str]:
    documents = [parse(name, text.encode()) for name, text in (("old", old), ("new", new))]
    packages = [generate(document, folder / document.name) for document in documents]
    return list(compare(documents[0], documents[1], packages[0], packages[1]).lines())


# What it prints


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A document, and the same with a property that may be null."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(RECURSIVE)
    new.write_text(RECURSIVE.replace("type: integer", "type: [integer, 'null']"))
    return str(old), str(new)


def test_the_json_report_has_every_change(files: tuple[str, str]) -> None:
    old, new = files
    done = spec_diff(old, new, "--json", "--fail-on", "major")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout) == {
        "old": old,
        "new": new,
        "verdict": "major",
        "wire": "major",
        "python": "major",
        "changes": [
            {
                "wire": "major",
                "python": "major",
                "where": "schemas/Leaf/size",
                "what": "may be null now",
                "why": "readers do not expect null",
                "symbols": ["models.Leaf.size"],
            }
        ],
    }


@pytest.mark.parametrize("arguments", [(), ("--fail-on", "minor")])
def test_a_file_compared_with_itself_has_no_change(files: tuple[str, str], arguments: tuple[str, ...]) -> None:
    old, _ = files
    done = spec_diff(old, old, *arguments)
    assert (done.returncode, done.stdout) == (0, f"{old} -> {old}: none (wire none, python none)\n")


def test_a_revision_means_its_spec() -> None:
    assert load("HEAD").data["openapi"] == "3.1.0"
    assert load("HEAD").name == "HEAD:spec/openapi.yaml"


def test_the_order_of_the_document_does_not_matter(tmp_path: Path) -> None:
    new = RECURSIVE.replace("maximum: 10", "maximum: 5").replace("type: integer", "type: number")
    new = new.replace("leaves:", "branches:")
    documents = [parse(str(number), text.encode()) for number, text in enumerate((RECURSIVE, new))]
    turned = [Document(each.name, reversed_order(each.data)) for each in documents]
    found = [list(compare(one, two, Package({}, {}), Package({}, {})).lines()) for one, two in (documents, turned)]
    assert found[0] == found[1]
    assert len(found[0]) == 4


def reversed_order(data: object) -> dict[str, object]:
    def turned(node: object) -> object:
        if isinstance(node, dict):
            return {key: turned(value) for key, value in reversed(node.items())}
        return [turned(each) for each in node] if isinstance(node, list) else node

    turned_data = turned(data)
    assert isinstance(turned_data, dict)
    return turned_data


def test_schemas_that_contain_themselves_are_compared(tmp_path: Path) -> None:
    assert lines(RECURSIVE, RECURSIVE.replace("maximum: 10", "maximum: 5"), tmp_path) == [
        "old -> new: major (wire major, python none)",
        "wire major  python none   schemas/Leaf/size: maximum was 10, is 5 now (old requests may be refused)",
    ]


@pytest.mark.parametrize("loop", ["{ allOf: [%s] }", "{ anyOf: [%s, { type: string }] }", "{ oneOf: [%s, %s] }"])
def test_a_schema_that_contains_itself_directly_is_compared(loop: str) -> None:
    schema = loop.replace("%s", "{ $ref: '#/components/schemas/A' }")
    documents = [nothing_but(schema), nothing_but(schema)]
    assert compare(documents[0], documents[1], Package({}, {}), Package({}, {})).changes == []


def test_a_reference_to_itself_is_an_error() -> None:
    document = nothing_but("{ $ref: '#/components/schemas/A' }")
    with pytest.raises(SpecError, match="spec: #/components/schemas/A refers to itself"):
        compare(document, document, Package({}, {}), Package({}, {}))


def nothing_but(schema: str) -> Document:
    return parse("spec", f"{HEAD}paths: {{}}\ncomponents: {{ schemas: {{ A: {schema} }} }}\n".encode())


# What cannot be compared


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "is not valid YAML: "),
        ("a: 1\na: 2\n", "is not valid YAML: "),
        ("\x00", "is not valid YAML: "),
        ("- a\n", "does not hold a mapping"),
        ("", "does not hold a mapping"),
        ("swagger: '2.0'\npaths: {}\n", "is not an OpenAPI document: it does not begin with openapi: 3.x.y"),
        ("openapi: 3.1\npaths: {}\n", "is not an OpenAPI document: it does not begin with openapi: 3.x.y"),
        ("openapi: 3.1.0\n", "it has no paths"),
        ("openapi: 3.1.0\npaths: []\n", "it has no paths"),
    ],
)
def test_a_file_that_is_no_openapi_document_is_an_error(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load(str(path))
    assert str(caught.value).startswith(f"{path} ")
    assert reason in str(caught.value)


def test_a_source_that_is_neither_file_nor_revision_is_an_error(tmp_path: Path) -> None:
    for source in ("missing.yaml", "v99.0.0", "--help", str(tmp_path / "missing.yaml")):
        with pytest.raises(SpecError, match="is neither a file nor a git revision"):
            load(source)
    with pytest.raises(SpecError, match="is a folder: name the file"):
        load(str(tmp_path))


def test_references_that_lead_nowhere_or_out_of_the_document_are_errors() -> None:
    for reference, reason in (
        ("#/components/schemas/No", "refers to nothing"),
        ("a.yaml#/A", "is outside the document"),
    ):
        document = parse("spec", f"{HEAD}paths: {{ /a: {{ $ref: '{reference}' }} }}".encode())
        with pytest.raises(SpecError, match=f"spec: {reference} {reason}"):
            compare(document, document, Package({}, {}), Package({}, {}))


def test_a_document_that_the_generator_refuses_is_an_error(tmp_path: Path) -> None:
    twice = RECURSIVE.replace(
        "components:\n", "  /other: { get: { operationId: plant_tree, responses: {} } }\ncomponents:\n"
    )
    for text, reason in ((twice, "operationId used more than once"), (f"{HEAD}paths: {{ /a: {{ get: 1 }} }}", "spec")):
        with pytest.raises(SpecError, match=reason):
            generate(parse("spec", text.encode()), tmp_path / reason)


def test_an_error_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [\n")
    for arguments in ((SPEC, "no-such-revision"), (str(tmp_path / "broken.yaml"), SPEC), (SPEC,)):
        done = spec_diff(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("spec_diff.py: ")
        assert done.stderr.count("\n") == 1
