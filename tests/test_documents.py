"""Documents that must say what the code says."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields

import click
import pluggy
import pytest

from ds_engine.limits import Limits
from ds_engine.search.policy import SearchPolicy
from ds_plugin import hookspecs
from ds_plugin.commands import COMMANDS
from ds_plugin.hooks import Deadlines
from ds_train.commands import COMMANDS as TRAINING
from tests.project import PACKAGES, ROOT, modules

HOOKS = {name: value for name, value in vars(hookspecs).items() if name.startswith("ds_")}


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_its_exact_arguments(name: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert f"### `{name}({arguments})`\n" in (ROOT / "docs/reference/hooks.md").read_text()


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_stands_in_the_table_with_its_deadline(name: str) -> None:
    [row] = [line for line in (ROOT / "docs/reference/hooks.md").read_text().splitlines() if line.startswith(f"| `{name}` |")]
    deadlines = Deadlines()
    waited_for = {"ds_bias": deadlines.bias, "ds_transform_transcript": deadlines.transform}
    early = name.startswith("ds_register") or name in {"ds_configure", "ds_vocabulary_source"}
    seconds = deadlines.registration if early else waited_for.get(name, deadlines.notice)
    assert name == "ds_fallback" or f"| {seconds:g} s |" in row


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_test_of_its_name(name: str) -> None:
    assert f"def test_hook_{name}" in (ROOT / "tests/ds_plugin/test_hooks.py").read_text()


def test_every_hook_is_a_specification_of_pluggy() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    assert all(getattr(manager.hook, name).spec for name in HOOKS)


def test_the_table_of_limits_is_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", (ROOT / "docs/reference/limits.md").read_text(), re.MULTILINE)
    assert {name: float(value) for name, value in rows} == {field.name: float(str(field.default)) for field in fields(Limits)}


def test_the_table_of_the_search_is_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\w.-]+) \|", (ROOT / "docs/reference/search.md").read_text(), re.MULTILINE)
    assert dict(rows) == {field.name: str(field.default).lower() for field in fields(SearchPolicy)}


@pytest.mark.parametrize("command", [*COMMANDS, *TRAINING], ids=lambda command: str(command.name))
def test_every_command_and_its_options_are_documented(command: click.Command) -> None:
    [row] = [line for line in (ROOT / "docs/reference/command-line.md").read_text().splitlines() if line.startswith(f"| `{command.name}")]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert {option for option in options if option not in row} <= {"--model"}


def test_the_guide_shows_the_example_plugin_as_it_is() -> None:
    guide = (ROOT / "docs/how-to/write-a-plugin.md").read_text()
    for file in ("pyproject.toml", "ds_plugin_example.py"):
        assert (ROOT / "examples/ds-plugin-example" / file).read_text().strip() in guide


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
    links = [(document, link) for document in documents for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text())]
    assert links
    assert not [(document.name, link) for document, link in links if not (document.parent / link).exists()]


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_module_opens_with_what_it_is_for(package: str) -> None:
    assert not [module.name for module in modules(package) if not module.read_text().lstrip().removeprefix("r").startswith('"""')]


def test_the_readme_names_its_two_commands_and_they_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^    (scripts/\w+)$", readme, re.MULTILINE)
    assert commands == ["scripts/try", "scripts/test"]
    assert all((ROOT / command).stat().st_mode & 0o100 for command in commands)
