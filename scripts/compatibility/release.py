"""Check that the version and the changelog match what changed since the last release."""

from __future__ import annotations

import io
import re
import tarfile
from typing import TYPE_CHECKING

from attrs import frozen

from generation.refusal import SpecError

from .change import Level
from .document import SPEC, git, load_revision, parse
from .package import PACKAGE, Package, code_of, read
from .verdict import Verdict, compare

if TYPE_CHECKING:
    from pathlib import Path

VERSION_FILE = "overlay/wavespeed_client/_version.py"
CHANGELOG = "CHANGELOG.md"
GENERATED = f"generated/{PACKAGE}"
JUDGED = ("spec", "generated", VERSION_FILE, CHANGELOG)
KINDS = {Level.PATCH: "other words", Level.MINOR: "additions", Level.MAJOR: "breaking changes"}


@frozen(order=True)
class Version:
    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def after(self, change: Level) -> Version:
        """Return the lowest version that allows a change. Before 1.0.0 a breaking change raises the second number."""
        if change is Level.NONE:
            return self
        if self.major == 0:
            change = Level.MINOR if change is Level.MAJOR else Level.PATCH
        steps = {Level.MAJOR: (self.major + 1, 0, 0), Level.MINOR: (self.major, self.minor + 1, 0)}
        return Version(*steps.get(change, (self.major, self.minor, self.patch + 1)))


def version(text: str) -> Version | None:
    """Return a version's three numbers, without a suffix such as rc1."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return Version(*map(int, found.groups())) if found else None


@frozen
class Section:
    """A section of the changelog, with the number of entries under each heading. Without a version it is unreleased."""

    version: Version | None
    entries: dict[str, int]

    @property
    def level(self) -> Level:
        """The level that the headings declare."""
        if self.entries.get("Breaking"):
            return Level.MAJOR
        if self.entries.get("Added"):
            return Level.MINOR
        return Level.PATCH if any(self.entries.values()) else Level.NONE


def sections(changelog: str) -> list[Section]:
    """Read the changelog, newest section first."""
    found: list[Section] = []
    for part in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        title, *rest = re.split(r"^###(?!#) *", part, flags=re.MULTILINE)
        name = re.match(r"\[(.+?)\]", title)
        headings = (each.partition("\n") for each in rest)
        entries = {name.strip(): len(re.findall(r"^[-*] ", text, re.MULTILINE)) for name, _, text in headings}
        found.append(Section(version(name[1]) if name else None, entries))
    return found


@frozen
class Release:
    version: Version
    commit: str
    name: str


@frozen
class Findings:
    """What to print. If there are problems, the check fails."""

    told: list[str]
    problems: list[str]


def check(root: Path) -> Findings:
    """Compare version and changelog of a working tree with what changed since the last release.

    Raises:
        SpecError: The last release, or the tree, cannot be read.
    """
    log = sections(text_of(root / CHANGELOG))
    own = own_version(root)
    release = last_release(root, [each.version for each in log if each.version is not None])
    if release is None:
        return Findings(["nothing was released yet"], [])
    verdict = judge_tree(root, release)
    _, *lines = verdict.lines()
    told = [f"since {release.name}: {verdict.level} (wire {verdict.wire}, python {verdict.python})"]
    told += [line for line, each in zip(lines, verdict.changes, strict=True) if each.level > Level.PATCH]
    versions = [section.version for section in log]
    newer = log[: versions.index(release.version)] if release.version in versions else log
    found = problems(own, release, verdict, newer)
    return Findings(told if found else [*told, f"version {own} and {CHANGELOG} fit"], found)


def problems(own: Version, release: Release, verdict: Verdict, log: list[Section]) -> list[str]:
    """Return each mismatch, and what to do about it."""
    found: list[str] = []
    declared = max((section.level for section in log), default=Level.NONE)
    least = release.version.after(max(verdict.level, declared))
    if own < least:
        why = f"the spec has {named(verdict)}" if verdict.level >= declared else f"{CHANGELOG} has {declared} entries"
        found.append(f"__version__ is {own}, but since {release.version} {why}: set {least} or later in {VERSION_FILE}")
    if verdict.level is Level.MAJOR and declared is not Level.MAJOR:
        found.append(f'{CHANGELOG} names no breaking change since {release.version}: name them under "### Breaking"')
    elif verdict.level is Level.MINOR and declared is Level.NONE:
        found.append(f'{CHANGELOG} names nothing new since {release.version}: name it under "### Added"')
    others = [each.version for each in log if each.version not in (None, own)]
    return [*found, *(f"{CHANGELOG} has a section [{each}], but __version__ is {own}" for each in others)]


def named(verdict: Verdict) -> str:
    """Describe the most serious changes, with the names of the first three."""
    worst = [f"{change.where} {change.what}" for change in verdict.changes if change.level is verdict.level]
    more = f", and {len(worst) - 3} more" if len(worst) > 3 else ""
    return f"{KINDS[verdict.level]} ({'; '.join(worst[:3])}{more})" if verdict.level in KINDS else "no changes"


def text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path.name} cannot be read: {error}") from None


def own_version(root: Path) -> Version:
    found = re.search(r'^__version__ = "(.+?)"', text_of(root / VERSION_FILE), re.MULTILINE)
    own = version(found[1]) if found else None
    if own is None:
        raise SpecError(f'{VERSION_FILE} has no line __version__ = "X.Y.Z"')
    return own


# The last release


def last_release(root: Path, dated: list[Version]) -> Release | None:
    """Return the newest tag in this history or, without tags, the commit in which the newest section got its number.

    If HEAD itself is a release, it is the one to check, so the last one is before it.
    """
    head = git("rev-parse", "--verify", "--quiet", "HEAD", root=root)
    if head is None and dated:
        raise SpecError(f"there is no git history here to read {dated[0]} from: check in a clone")
    if head is None:
        return None
    if dated and git("rev-parse", "--is-shallow-repository", root=root) == b"true\n":
        raise SpecError("this clone is shallow, so the last release cannot be seen: run git fetch --unshallow --tags")
    clean = git("status", "--porcelain", "--", *JUDGED, root=root) == b""
    candidates = [*tagged(root), *numbered(root, dated)]
    here = {each.version for each in candidates if clean and each.commit == head.decode().strip()}
    return next((each for each in candidates if each.version not in here), None)


def tagged(root: Path) -> list[Release]:
    """Return the tags vX.Y.Z in this history, newest first."""
    arguments = ("--list", "v*", "--merged", "HEAD", "--format=%(refname:short) %(objectname) %(*objectname)")
    lines = (git("tag", *arguments, root=root) or b"").decode().splitlines()
    found: list[Release] = []
    for name, *commits in map(str.split, lines):  # an annotated tag is an object of its own, before its commit
        if (number := version(name[1:])) and name == f"v{number}":
            found.append(Release(number, commits[-1], name))
    return sorted(found, key=lambda each: each.version, reverse=True)


def numbered(root: Path, dated: list[Version]) -> list[Release]:
    """Return the commits in which the changelog's sections got their numbers, newest first."""
    found: list[Release] = []
    for number in dated:
        arguments = ("--reverse", "--format=%H", "-S", f"## [{number}]", "--", CHANGELOG)
        commits = (git("log", *arguments, root=root) or b"").decode().split()
        found += [Release(number, each, f"{number} ({each[:7]}, by {CHANGELOG})") for each in commits[:1]]
    return found


def judge_tree(root: Path, release: Release) -> Verdict:
    """Compare the release with the working tree: its spec, and the generated code as it is on disk."""
    old = load_revision(release.commit, root)
    new = parse(SPEC, text_of(root / SPEC).encode())
    old.name, new.name = release.name, "this tree"
    return compare(old, new, released_package(root, release), read(code_of(root / GENERATED)))


def released_package(root: Path, release: Release) -> Package:
    archive = git("archive", release.commit, "--", GENERATED, root=root)
    if archive is None:
        raise SpecError(f"{GENERATED} cannot be read at {release.name}: it is not in that commit")
    code: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            content = files.extractfile(member)
            if content is not None and member.name.endswith(".py"):
                code[member.name.removeprefix(f"{GENERATED}/")] = content.read().decode()
    return read(code)
