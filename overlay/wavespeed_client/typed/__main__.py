"""Write the inputs of models with types, for mypy, pyright and ty: `python -m wavespeed_client.typed FILE MODEL ...`.

exit code 0: done, or no drift; 1: drift; 2: nothing was written, and stderr says why
"""

from __future__ import annotations

import argparse
import json
import keyword
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

# The command is a program like any other: it asks for the catalogue through the public client.
from wavespeed_client import WaveSpeed

from ..arguments import model_id
from ..catalogue.literals import seen
from ..errors import InvalidInputError, WaveSpeedError
from .compare import Level
from .lock import Lock, lock_path, read_lock
from .render import MARK, render
from .update import Catalogue, catalogue_of, changes, described, updated, without
from .writing import write

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "python -m wavespeed_client.typed"


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: {message}; see --help\n")


class Arguments(argparse.Namespace):
    """What the command was told."""

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
    """Do what a command line says, that of the process by default; the exit code."""
    arguments = read_arguments(words)
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="backslashreplace")  # not every terminal has all letters
    try:
        if arguments.check:
            return check(arguments.file)
        return diff(arguments) if arguments.diff else update(arguments)
    except WaveSpeedError as error:
        print(f"{PROGRAM}: {seen(str(error))}", file=sys.stderr)
    except OSError as error:
        print(f"{PROGRAM}: {error.filename or 'stdout'}: {error.strerror}", file=sys.stderr)
    return 2


def read_arguments(words: Sequence[str] | None = None) -> Arguments:
    """Read the command line; end the program if it is wrong."""
    head, tail = (__doc__ or "").split("\n\n")
    parser = OneLineParser(prog=PROGRAM, description=head, epilog=tail)
    add = parser.add_argument
    add(
        "file",
        metavar="FILE",
        type=Path,
        help="the module to write, such as models.py; its lock stands beside it",
    )
    add(
        "models",
        metavar="MODEL",
        nargs="*",
        default=[],
        help="ids to add; all that is in FILE is updated",
    )
    add("--all", action="store_true", help="add every model of the catalogue")
    add("--remove", metavar="MODEL", action="append", default=[], help="an id to remove; may be given more than once")
    add(
        "--descriptions",
        action=argparse.BooleanOptionalAction,
        help="whether to write the service's words, now and later",
    )
    add("--check", action="store_true", help="only tell whether FILE is what its lock gives: no key, no request")
    add("--diff", action="store_true", help="only tell what has changed in the catalogue: one request")
    add("--json", action="store_true", help="with --diff: print it as JSON")
    add("--fail-on", choices=["breaking", "any"], help="with --diff: exit with 1 for a breaking change, or for any")
    arguments = parser.parse_intermixed_args(words, namespace=Arguments())
    if (problem := misuse(arguments)) is not None:
        parser.error(problem)
    return arguments


def misuse(arguments: Arguments) -> str | None:
    """Return what does not go together, if anything."""
    writes = bool(arguments.models or arguments.all or arguments.remove) or arguments.descriptions is not None
    if arguments.check and arguments.diff:
        return "--check and --diff do not go together"
    if writes and (arguments.check or arguments.diff):
        return f"{'--check' if arguments.check else '--diff'} writes nothing: leave out what is to be written"
    if not arguments.diff and (arguments.json or arguments.fail_on):
        return "--json and --fail-on go with --diff"
    if both := sorted({*arguments.models} & {*arguments.remove}):
        return f"{both[0]} is to be added and removed"
    if not can_be_imported(arguments.file):
        must = "FILE must be a module that can be imported and hides no other, such as models.py"
        return f"{must}; this is {str(arguments.file)!r}"
    return None if arguments.file.parent.is_dir() else f"there is no folder {arguments.file.parent}"


def can_be_imported(file: Path) -> bool:
    """Tell whether a file is a module that hides no other one, which it cannot within a package."""
    name = file.stem
    other = name in sys.stdlib_module_names or name == "wavespeed_client"
    hides = other and not (file.parent / "__init__.py").exists()
    return file.suffix == ".py" and name.isidentifier() and not keyword.iskeyword(name) and not hides


def check(file: Path) -> int:
    """Tell whether a file is what its lock gives."""
    expected = render(read_lock(lock_path(file)).models)
    if file.is_file() and text_of(file) == expected:
        return 0
    print(f"{file} is not what {lock_path(file)} gives: run {PROGRAM} {file}")
    return 1


def diff(arguments: Arguments) -> int:
    """Tell what has changed in the catalogue since a file was written."""
    found = changes(read_lock(lock_path(arguments.file)), ask_for_catalogue())
    worst = max((each.change.level for each in found), default=None)
    if arguments.json:
        told = {"verdict": "same" if worst is None else str(worst), "changes": [each.as_json() for each in found]}
        print(json.dumps(told, indent=2))
    else:
        print(*(map(str, found) if found else ["nothing has changed"]), sep="\n")
    lowest = {None: None, "any": Level.WORDS, "breaking": Level.BREAKING}[arguments.fail_on]
    return int(worst is not None and lowest is not None and worst >= lowest)


def update(arguments: Arguments) -> int:
    """Write a file and its lock anew, and tell what has changed."""
    file, models = arguments.file, list(map(model_id, arguments.models))
    old = own_lock(file)
    kept = without(old, [model for model in arguments.remove if model in old.models or not arguments.all])
    if not (models or arguments.all or kept.models or arguments.remove):
        raise InvalidInputError(f"{file} holds no model yet: name one, such as wavespeed-ai/flux-dev, or use --all.")
    if arguments.descriptions is not None:
        kept = Lock(kept.models, arguments.descriptions)
    catalogue: Catalogue = ask_for_catalogue()
    models += [model for model in described(catalogue) if arguments.all and model not in arguments.remove]
    new = updated(kept, catalogue, models)
    text = render(new.models)  # before anything is written: it may refuse
    if own_lock(file) != old:
        raise InvalidInputError(f"{lock_path(file)} was changed while this ran: run it again.")
    write({lock_path(file): new.text(), file: text})
    graver = [each for each in changes(kept, catalogue) if each.change.level > Level.WORDS]
    count = len(new.models)
    print(*map(str, graver), f"{file} holds {count} model{'s' if count != 1 else ''}", sep="\n")
    return 0


def own_lock(file: Path) -> Lock:
    """Return the lock of a file, empty for a new one.

    Raises:
        InvalidInputError: The file was not written by this command, or has lost its lock.
    """
    if file.exists() and not text_of(file).startswith(MARK):
        raise InvalidInputError(f"{file} was not written by this command: give another name, or move it away.")
    if file.exists() and not lock_path(file).exists():
        raise InvalidInputError(f"{file} has lost {lock_path(file)}: restore it, or delete both and name all models.")
    return read_lock(lock_path(file)) if lock_path(file).exists() else Lock({})


def text_of(file: Path) -> str:
    """Return the text of a file, whichever editor or system has written it."""
    return file.read_text("utf-8-sig", "replace")


def ask_for_catalogue() -> Catalogue:
    """Ask the service for its models. One request."""
    with WaveSpeed() as ws:
        return catalogue_of(model.raw for model in ws.models())


if __name__ == "__main__":
    sys.exit(main())
