"""The README and CONTRIBUTING: short, and consistent with the code. The tests of the pages run their blocks."""

import re
import tomllib

from tests.conftest import ROOT
from tests.scripts.blocks import README, blocks
from wavespeed_client import errors


def test_readme_and_contributing_stay_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 200
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 120


def test_the_tree_of_errors_is_the_one_in_the_code() -> None:
    (tree,) = [block.text for block in blocks("text", "README")]
    names = re.compile(r"\b\w+Error\b")
    assert names.findall(tree) == names.findall((errors.__doc__ or "").partition("\n\n")[2])


def test_the_settings_table_names_every_variable() -> None:
    source = (ROOT / "overlay" / "wavespeed_client" / "settings.py").read_text("utf-8")
    for variable in set(re.findall(r"WAVESPEED_\w+", source)):
        assert f"`{variable}`" in README.read_text("utf-8")


def test_the_table_of_extras_names_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    listed = re.findall(r"^\| `wavespeed-client\[(\w+)\]`", README.read_text("utf-8"), re.MULTILINE)
    assert set(listed) == project["optional-dependencies"].keys()
