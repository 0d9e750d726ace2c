from __future__ import annotations

import subprocess
import sys

import pytest

from ds_plugin.adapter import extra
from ds_plugin.config import ConfigError


def test_a_missing_package_becomes_the_extra_that_brings_it() -> None:
    with pytest.raises(ConfigError, match=r"morse: needs the extra 'morse', pip install 'ds-plugin\[morse\]'"), extra("morse"):
        import a_package_that_is_not_there  # type: ignore[import-not-found]  # noqa: F401


def test_other_faults_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), extra("morse"):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(("adapter", "package"), [("wyoming", "wyoming"), ("http", "uvicorn")])
def test_without_its_extra_an_adapter_is_listed_and_says_what_it_needs_when_it_is_served(adapter: str, package: str) -> None:
    without = f"import sys; sys.modules[{package!r}] = None; sys.argv = ['ds-plugin', 'serve', {adapter!r}]"
    code = f"{without}; from ds_plugin.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {adapter}: needs the extra {adapter!r}")
    assert done.stderr.count("\n") == 1
