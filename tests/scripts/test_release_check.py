"""scripts/release_check.py on small repositories: version and changelog against what changed since the last release."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
from compatibility.change import Level
from compatibility.document import load
from compatibility.package import generate
from compatibility.release import CHANGELOG, GENERATED, VERSION_FILE, Version, check
from generation.refusal import SpecError

SHOP = """\
openapi: 3.1.0
info: { title: Shop, version: 1.0.0 }
paths:
  /order:
    get:
      operationId: get_order
      tags: [orders]
      responses:
        '200':
          description: The order.
          content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } }
components:
  schemas:
    Order:
      type: object
      description: An order.
      properties:
        note: { type: string }
"""
RENAMED = SHOP.replace("operationId: get_order", "operationId: fetch_order")
REWORDED = SHOP.replace("description: An order.", "description: An order of the shop.")
EXTENDED = f"{SHOP}        size: {{ type: integer }}\n"
NOTHING_NEW = "## [Unreleased]\n\n"
RELEASED = "## [0.1.0] - 2026-01-01\n\n### Added\n\n- The start.\n"
BREAKING = "## [Unreleased]\n\n### Breaking\n\n- `get_order` is `fetch_order` now.\n\n"


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The package that the generator makes from each document."""
    folder = tmp_path_factory.mktemp("packages")
    found = {}
    for number, text in enumerate((SHOP, RENAMED, REWORDED, EXTENDED)):
        spec = folder / f"{number}.yaml"
        spec.write_text(text)
        generate(load(str(spec)), folder / str(number))
        found[text] = folder / str(number) / "wavespeed_api"
    return found


class Repository:
    """A project with just the files that matter for a release."""

    def __init__(self, root: Path, packages: dict[str, Path]) -> None:
        self.root = root
        self.packages = packages
        root.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        names = {f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always", *arguments]
        environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    def write(self, spec: str, version: str, changelog: str) -> None:
        package = self.root / GENERATED
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(self.packages[spec], package)
        for name, text in (
            ("spec/openapi.yaml", spec),
            (VERSION_FILE, f'__version__ = "{version}"\n'),
            (CHANGELOG, f"# Changelog\n\n{changelog}"),
        ):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    def commit(self, tag: str | None = None) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "Change")
        if tag is not None:
            self.git("tag", tag)

    def problems(self) -> list[str]:
        return check(self.root).problems


@pytest.fixture
def new_repository(tmp_path: Path, packages: dict[str, Path]) -> Callable[[], Repository]:
    return lambda: Repository(tmp_path / "project", packages)


@pytest.fixture
def released(new_repository: Callable[[], Repository]) -> Repository:
    """A project that has released 0.1.0 with a tag, and has changed since."""
    repository = new_repository()
    repository.write(SHOP, "0.1.0", NOTHING_NEW + RELEASED)
    repository.commit("v0.1.0")
    repository.commit()
    return repository


# What fits


def test_before_the_first_release_everything_fits(new_repository: Callable[[], Repository]) -> None:
    repository = new_repository()
    repository.write(RENAMED, "0.1.0", NOTHING_NEW)
    repository.commit()
    findings = check(repository.root)
    assert (findings.told, findings.problems) == (["nothing was released yet"], [])


def test_an_unchanged_release_fits(released: Repository) -> None:
    assert check(released.root).told == [
        "since v0.1.0: none (wire none, python none)",
        "version 0.1.0 and CHANGELOG.md fit",
    ]
    assert released.problems() == []


@pytest.mark.parametrize(
    ("spec", "version", "changelog"),
    [
        (RENAMED, "0.2.0", BREAKING),
        (RENAMED, "1.0.0", BREAKING),
        (RENAMED, "0.2.0rc1", BREAKING),
        (RENAMED, "0.2.0", BREAKING.replace("### Breaking\n", "### Breaking\n\n#### Orders\n")),
        (RENAMED, "0.2.0", BREAKING.replace("[Unreleased]", "[0.2.0] - 2026-02-01")),
        (REWORDED, "0.1.1", NOTHING_NEW),
        (EXTENDED, "0.1.1", "## [Unreleased]\n\n### Added\n\n- `Order.size`.\n\n"),
        (SHOP, "0.1.0", NOTHING_NEW),
    ],
)
def test_a_version_and_a_changelog_that_fit(released: Repository, spec: str, version: str, changelog: str) -> None:
    released.write(spec, version, changelog + RELEASED)
    assert released.problems() == []
    released.commit()
    assert released.problems() == []


# What does not


@pytest.mark.parametrize("version", ["0.1.0", "0.1.1", "0.0.9"])
def test_a_renamed_operation_needs_a_breaking_version(released: Repository, version: str) -> None:
    released.write(RENAMED, version, BREAKING + RELEASED)
    assert released.problems() == [
        f"__version__ is {version}, but since 0.1.0 the spec has breaking changes (operations/get_order operationId is "
        "fetch_order now): set 0.2.0 or later in overlay/wavespeed_client/_version.py"
    ]


def test_from_1_0_0_on_a_breaking_change_needs_a_major_version(new_repository: Callable[[], Repository]) -> None:
    repository = new_repository()
    repository.write(SHOP, "1.4.2", NOTHING_NEW)
    repository.commit("v1.4.2")
    repository.write(RENAMED, "1.5.0", BREAKING)
    repository.commit()
    assert [problem.rpartition(": ")[2] for problem in repository.problems()] == [
        f"set 2.0.0 or later in {VERSION_FILE}"
    ]


def test_the_changelog_must_name_what_breaks(released: Repository) -> None:
    released.write(RENAMED, "0.2.0", NOTHING_NEW + RELEASED)
    assert released.problems() == [
        'CHANGELOG.md names no breaking change since 0.1.0: name them under "### Breaking"',
    ]


def test_the_changelog_must_name_what_is_new(released: Repository) -> None:
    released.write(EXTENDED, "0.1.1", NOTHING_NEW + RELEASED)
    assert released.problems() == ['CHANGELOG.md names nothing new since 0.1.0: name it under "### Added"']


def test_changed_words_need_a_patch_version(released: Repository) -> None:
    released.write(REWORDED, "0.1.0", NOTHING_NEW + RELEASED)
    (problem,) = released.problems()
    assert problem.startswith(
        "__version__ is 0.1.0, but since 0.1.0 the spec has other words (schemas/Order description"
    )


def test_a_breaking_entry_of_the_changelog_needs_a_breaking_version(released: Repository) -> None:
    released.write(SHOP, "0.1.1", BREAKING + RELEASED)
    (problem,) = released.problems()
    assert "CHANGELOG.md has major entries: set 0.2.0 or later" in problem


def test_a_changelog_section_of_another_version_is_refused(released: Repository) -> None:
    released.write(SHOP, "0.1.1", "## [0.2.0] - 2026-02-01\n\n" + RELEASED)
    assert released.problems() == ["CHANGELOG.md has a section [0.2.0], but __version__ is 0.1.1"]


def test_code_that_differs_counts_though_the_spec_is_the_same(released: Repository) -> None:
    """This happens when the generator or its configuration changes."""
    released.write(SHOP, "0.1.0", NOTHING_NEW + RELEASED)
    shutil.rmtree(released.root / GENERATED)
    shutil.copytree(released.packages[RENAMED], released.root / GENERATED)
    lines = check(released.root).told
    assert lines[0] == "since v0.1.0: major (wire none, python major)"
    assert any("operations/get_order: api.orders.get_order is removed" in line for line in lines)


# Which release is the last


def test_versions_are_compared_as_numbers_and_other_tags_are_ignored(released: Repository) -> None:
    for version in ("0.9.0", "0.10.0"):
        released.write(SHOP, version, NOTHING_NEW)
        released.commit(f"v{version}")
    released.git("tag", "v0.11.0-rc1")
    released.git("tag", "vanity")
    released.commit()
    assert check(released.root).told[0].startswith("since v0.10.0: ")


def test_a_tag_of_another_branch_is_not_the_last(released: Repository) -> None:
    released.git("checkout", "-q", "-b", "other")
    released.write(RENAMED, "0.2.0", BREAKING + RELEASED)
    released.commit("v0.2.0")
    released.git("checkout", "-q", "main")
    assert check(released.root).told[0].startswith("since v0.1.0: ")


def test_a_tagged_commit_is_compared_with_the_release_before_it(released: Repository) -> None:
    released.write(RENAMED, "0.1.1", BREAKING.replace("[Unreleased]", "[0.1.1] - 2026-02-01") + RELEASED)
    released.commit("v0.1.1")
    (problem,) = released.problems()
    assert problem.startswith("__version__ is 0.1.1, but since 0.1.0 the spec has breaking changes")


def test_edits_of_a_tagged_commit_are_compared_with_its_release(released: Repository) -> None:
    released.write(RENAMED, "0.2.0", BREAKING.replace("[Unreleased]", "[0.2.0] - 2026-02-01") + RELEASED)
    released.commit("v0.2.0")
    released.write(SHOP, "0.2.0", BREAKING.replace("[Unreleased]", "[0.2.0] - 2026-02-01") + RELEASED)
    problems = released.problems()
    assert problems
    assert problems[0].startswith("__version__ is 0.2.0, but since 0.2.0 the spec has breaking changes")


def test_without_tags_the_changelog_tells(released: Repository) -> None:
    released.git("tag", "--delete", "v0.1.0")
    released.write(RENAMED, "0.1.0", NOTHING_NEW + RELEASED)
    released.commit()
    findings = check(released.root)
    assert findings.told[0].endswith("by CHANGELOG.md): major (wire none, python major)")
    assert findings.problems[0].startswith("__version__ is 0.1.0, but since 0.1.0 ")


def test_a_first_release_has_no_release_before_it(new_repository: Callable[[], Repository]) -> None:
    repository = new_repository()
    repository.write(SHOP, "0.1.0", NOTHING_NEW)
    repository.commit()
    repository.write(RENAMED, "0.1.0", RELEASED)
    assert check(repository.root).told == ["nothing was released yet"]
    repository.commit()
    assert check(repository.root).told == ["nothing was released yet"]


# What cannot be read


def test_a_shallow_clone_says_what_to_do(released: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    released.git("clone", "-q", "--depth", "1", released.root.as_uri(), str(clone))
    with pytest.raises(SpecError, match="run git fetch --unshallow --tags"):
        check(clone)
    released.root = clone
    released.git("fetch", "-q", "--unshallow", "--tags")
    assert check(clone).problems == []


def test_a_tree_without_git_cannot_be_compared(released: Repository) -> None:
    shutil.rmtree(released.root / ".git")
    with pytest.raises(SpecError, match=r"no git history here to read 0\.1\.0 from"):
        check(released.root)


@pytest.mark.parametrize("missing", ["spec/openapi.yaml", GENERATED])
def test_a_tag_without_the_spec_or_the_code_is_an_error(released: Repository, missing: str) -> None:
    released.git("rm", "-r", "-q", missing)
    released.commit("v0.1.5")
    released.write(SHOP, "0.1.5", NOTHING_NEW + RELEASED)
    released.commit()
    with pytest.raises(SpecError, match=f"{missing} cannot be read at .*: it is not in that commit"):
        check(released.root)


def test_a_version_file_without_a_version_is_an_error(released: Repository) -> None:
    (released.root / VERSION_FILE).write_text("__version__ = version()\n")
    with pytest.raises(SpecError, match=r'has no line __version__ = "X\.Y\.Z"'):
        check(released.root)


# The program


def test_the_program_prints_why_it_fails(released: Repository) -> None:
    released.write(RENAMED, "0.1.0", NOTHING_NEW + RELEASED)
    shutil.copytree(ROOT / "scripts", released.root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, str(released.root / "scripts" / "release_check.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "since v0.1.0: major (wire none, python major)"
    assert "operations/get_order: operationId is fetch_order now" in done.stdout
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == ["release_check.py"] * 2
    shutil.rmtree(released.root / ".git")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no git history" in done.stderr


@pytest.mark.parametrize(
    ("last", "change", "least"),
    [
        ("0.1.0", Level.NONE, "0.1.0"),
        ("0.1.0", Level.PATCH, "0.1.1"),
        ("0.1.0", Level.MINOR, "0.1.1"),
        ("0.1.7", Level.MAJOR, "0.2.0"),
        ("1.2.3", Level.PATCH, "1.2.4"),
        ("1.2.3", Level.MINOR, "1.3.0"),
        ("1.2.3", Level.MAJOR, "2.0.0"),
    ],
)
def test_the_least_version_after_a_change(last: str, change: Level, least: str) -> None:
    assert str(Version(*map(int, last.split("."))).after(change)) == least
