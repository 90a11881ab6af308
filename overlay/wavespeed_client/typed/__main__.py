"""Generate a module with typed inputs of models, for mypy, pyright and ty.

exit codes: 0 success, or no drift; 1 drift; 2 an error, described on stderr; nothing was written
"""

from __future__ import annotations

import argparse
import json
import keyword
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

# The command uses the public client, like any other program.
from wavespeed_client import WaveSpeed

from ..arguments import model_id
from ..catalogue.literals import seen
from ..errors import InvalidInputError, WaveSpeedError
from ..media.streams import let_go
from .compare import Level
from .lock import Lock, lock_path, read_lock
from .render import MARK, render
from .update import Catalogue, catalogue_of, changes, described, updated, without
from .writing import write

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "python -m wavespeed_client.typed"


class OneLineParser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: {message}; see --help\n")


class Arguments(argparse.Namespace):
    """The arguments of the command line."""

    file: Path
    models: list[str]
    all: bool
    remove: list[str]
    descriptions: bool | None
    check: bool
    diff: bool
    json: bool
    fail_on: str | None


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code.

    Args:
        words: The arguments; by default those of the process.
    """
    arguments = read_arguments(words)
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="backslashreplace")  # the terminal's encoding may lack some characters
    try:
        code = carried_out(arguments)
        print(end="", flush=True)  # an error now is reported; an error at exit would not be
        return code
    except WaveSpeedError as error:
        print(f"{PROGRAM}: {seen(str(error))}", file=sys.stderr)
    except OSError as error:
        print(f"{PROGRAM}: {error.filename or 'stdout'}: {error.strerror}", file=sys.stderr)
        if error.filename is None:
            let_go(sys.stdout)
    return 2


def carried_out(arguments: Arguments) -> int:
    """Do what the arguments say; return the exit code."""
    if arguments.check:
        return check(arguments.file)
    return diff(arguments) if arguments.diff else update(arguments)


def read_arguments(words: Sequence[str] | None = None) -> Arguments:
    """Parse the command line; exit with code 2 if it is wrong."""
    head, _, tail = (__doc__ or "").partition("\n\n")  # empty under -OO
    parser = OneLineParser(prog=PROGRAM, description=head, epilog=tail)
    add = parser.add_argument
    add(
        "file",
        metavar="FILE",
        type=Path,
        help="the module to write, such as models.py; its lock is written beside it",
    )
    add(
        "models",
        metavar="MODEL",
        nargs="*",
        default=[],
        help="model ids to add; the models already in FILE are updated",
    )
    add("--all", action="store_true", help="add all models of the catalogue")
    add("--remove", metavar="MODEL", action="append", default=[], help="a model id to remove; may be repeated")
    add(
        "--descriptions",
        action=argparse.BooleanOptionalAction,
        help="include the service's descriptions or not; the lock remembers the choice",
    )
    add("--check", action="store_true", help="only check that FILE matches its lock; needs no key and no request")
    add("--diff", action="store_true", help="only print what has changed in the catalogue; one request")
    add("--json", action="store_true", help="with --diff: print JSON")
    add("--fail-on", choices=["breaking", "any"], help="with --diff: exit with 1 on such a change")
    arguments = parser.parse_intermixed_args(words, namespace=Arguments())
    if (problem := misuse(arguments)) is not None:
        parser.error(problem)
    return arguments


def misuse(arguments: Arguments) -> str | None:
    """Return what is wrong with the combination of arguments; None if nothing is."""
    writes = bool(arguments.models or arguments.all or arguments.remove) or arguments.descriptions is not None
    if arguments.check and arguments.diff:
        return "--check and --diff cannot be combined"
    if writes and (arguments.check or arguments.diff):
        option = "--check" if arguments.check else "--diff"
        return f"{option} writes nothing: leave out MODEL, --all, --remove and --descriptions"
    if not arguments.diff and (arguments.json or arguments.fail_on):
        return "--json and --fail-on need --diff"
    if both := sorted({*arguments.models} & {*arguments.remove}):
        return f"{both[0]} cannot be added and removed at once"
    if not can_be_imported(arguments.file):
        must = "FILE must be an importable module that does not shadow another one, such as models.py"
        return f"{must}; this is {str(arguments.file)!r}"
    folder = arguments.file.parent
    return None if folder.is_dir() else f"the folder {folder} does not exist: create it first"


def can_be_imported(file: Path) -> bool:
    """Return whether a file can be imported without shadowing another module. Inside a package it shadows none."""
    name = file.stem
    other = name in sys.stdlib_module_names or name == "wavespeed_client"
    shadows = other and not (file.parent / "__init__.py").exists()
    return file.suffix == ".py" and name.isidentifier() and not keyword.iskeyword(name) and not shadows


def check(file: Path) -> int:
    """Check that a file matches its lock; return the exit code."""
    expected = render(read_lock(lock_path(file)).models)
    if file.is_file() and text_of(file) == expected:
        return 0
    print(f"{file} does not match {lock_path(file)}: run {PROGRAM} {file}")
    return 1


def diff(arguments: Arguments) -> int:
    """Print what has changed in the catalogue since a file was written; return the exit code. One request."""
    found = changes(read_lock(lock_path(arguments.file)), fetch_catalogue())
    worst = max((each.change.level for each in found), default=None)
    if arguments.json:
        report = {"verdict": "same" if worst is None else str(worst), "changes": [each.as_json() for each in found]}
        print(json.dumps(report, indent=2))
    else:
        print(*(map(str, found) if found else ["nothing has changed"]), sep="\n")
    lowest = {None: None, "any": Level.WORDS, "breaking": Level.BREAKING}[arguments.fail_on]
    return int(worst is not None and lowest is not None and worst >= lowest)


def update(arguments: Arguments) -> int:
    """Write a file and its lock, and print what has changed; return the exit code. One request."""
    file, models = arguments.file, list(map(model_id, arguments.models))
    old = own_lock(file)
    kept = without(old, [model for model in arguments.remove if model in old.models or not arguments.all])
    if not (models or arguments.all or kept.models or arguments.remove):
        raise InvalidInputError(f"{file} has no models yet: name one, such as wavespeed-ai/flux-dev, or use --all.")
    if arguments.descriptions is not None:
        kept = Lock(kept.models, arguments.descriptions)
    catalogue: Catalogue = fetch_catalogue()
    models += [model for model in described(catalogue) if arguments.all and model not in arguments.remove]
    new = updated(kept, catalogue, models)
    text = render(new.models)  # it may raise, so before anything is written
    if own_lock(file) != old:
        raise InvalidInputError(f"{lock_path(file)} was changed while this command ran: run it again.")
    write({lock_path(file): new.text(), file: text})
    relevant = [each for each in changes(kept, catalogue) if each.change.level > Level.WORDS]
    count = len(new.models)
    print(*map(str, relevant), f"{file} has {count} model{'s' if count != 1 else ''}", sep="\n")
    return 0


def own_lock(file: Path) -> Lock:
    """Return the lock of a file; an empty one for a new file.

    Raises:
        InvalidInputError: The file was not written by this command, or its lock is missing.
    """
    if file.exists() and not text_of(file).startswith(MARK):
        raise InvalidInputError(f"{file} was not written by this command: choose another FILE, or move it away.")
    if file.exists() and not lock_path(file).exists():
        raise InvalidInputError(
            f"{lock_path(file)} is missing: restore it, or delete {file} and name all of its models again."
        )
    return read_lock(lock_path(file)) if lock_path(file).exists() else Lock({})


def text_of(file: Path) -> str:
    """Return the text of a file. An editor may have added a byte order mark or broken its encoding."""
    return file.read_text("utf-8-sig", "replace")


def fetch_catalogue() -> Catalogue:
    """Fetch the catalogue of models. One request."""
    with WaveSpeed() as ws:
        return catalogue_of(model.raw for model in ws.models())


if __name__ == "__main__":
    sys.exit(main())
