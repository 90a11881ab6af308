"""How the program starts: its help, its examples, and what it needs to be installed."""

import subprocess
import sys
from importlib import import_module

import click
import pytest

from tests.overlay.cli.conftest import Invoke
from wavespeed_client import __version__
from wavespeed_client.cli.groups import LazyGroup
from wavespeed_client.cli.program import COMMANDS, program

SUBCOMMANDS = {name: import_module(f"wavespeed_client.cli.commands.{name}").command for name in COMMANDS}
LISTENING = {f"webhook {name}": SUBCOMMANDS["webhook"].get_command(None, name) for name in ("listen", "verify")}


@pytest.mark.parametrize(("name", "command"), (SUBCOMMANDS | LISTENING).items(), ids=(SUBCOMMANDS | LISTENING).keys())
def test_help_of_each_command_has_an_example(name: str, command: click.Command, invoke: Invoke) -> None:
    ended = invoke(*name.split(), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"$ wavespeed-client {name} " in ended.out or name in ("balance", "usage")
    assert "\\b" not in ended.out


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("types", "completion", "webhook")])
def test_each_command_has_the_option_json(name: str) -> None:
    assert "--json" in {option for one in SUBCOMMANDS[name].params for option in one.opts}


def test_no_option_takes_a_secret() -> None:
    commands = [*SUBCOMMANDS.values(), *LISTENING.values()]
    names = {option for command in commands for one in command.params for option in one.opts}
    assert not {name for name in names if "key" in name or "secret" in name or "token" in name}


def test_help_lists_every_command_and_others_are_refused(invoke: Invoke) -> None:
    shown = invoke("--help").out
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert isinstance(program, LazyGroup)
    assert invoke("no-such-command").code == 2


@pytest.mark.parametrize("command", ["list", "billings"])
def test_a_count_that_no_list_can_have_is_refused(invoke: Invoke, command: str) -> None:
    ended = invoke(command, "--limit", str(10**20))
    assert (ended.code, "'--limit'" in ended.err) == (2, True)


def test_the_option_version_prints_the_packages_version(invoke: Invoke) -> None:
    assert invoke("--version").out == f"wavespeed-client, version {__version__}\n"


def test_without_the_extra_one_line_names_it() -> None:
    code = "import sys; sys.modules['click'] = None; from wavespeed_client.cli import main; sys.exit(main(['balance']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "The command line needs the extra cli: pip install 'wavespeed-client[cli]'\n"
