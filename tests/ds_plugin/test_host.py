"""A host loads what the settings name, or says which setting is at fault."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ds_engine.bias import Phrase
from ds_engine.errors import BundleError, ClosedError, InputError, LanguageError, SpeechError
from ds_engine.limits import Limits
from ds_plugin import builtin
from ds_plugin.config import ConfigError, Schema, Settings
from ds_plugin.host import HOST_OPTIONS, Host
from ds_plugin.languages import same_language
from ds_plugin.measurement import Clip, load_clip
from ds_plugin.models import BUNDLED, DEFAULT_MODEL
from tests.ds_engine.fakes import silence
from tests.ds_plugin.command_line import LIGHT
from tests.ds_plugin.helpers import heard, hooked, hosted, plugin


def settings(**values: Any) -> Settings:
    """Settings of the host; `limits__workers` is `workers` of section `limits`."""
    given = {tuple(name.rpartition("__")[::2]): value for name, value in values.items()}
    return Schema(HOST_OPTIONS).load(arguments=given)  # type: ignore[arg-type]


async def test_a_host_recognises_with_what_the_settings_name() -> None:
    louder = plugin(ds_register_audio_filter=lambda register: register("louder", lambda rate: None))
    chosen = settings(limits__utterances=3, fallback__enabled="yes", audio_filters=["louder"])
    async with Host.load(chosen, hooked(builtin, louder)) as host:
        assert host.manifest.name == DEFAULT_MODEL
        assert host.engine.limits == Limits(utterances=3)
        async with await host.open(language="EN_gb", model=DEFAULT_MODEL) as utterance:
            await utterance.feed(silence(0.5))
            assert (await utterance.finish()).model.startswith(DEFAULT_MODEL)


def test_limits_given_replace_those_of_the_settings() -> None:
    assert Host.load(settings(limits__utterances=3), hooked(builtin), Limits(utterances=5)).engine.limits.utterances == 5


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"model": "gone"}, BundleError, "no model 'gone'"),
        ({"decoder": "gone"}, ConfigError, "decoder: 'gone' is unknown; known are: greedy, kernel, pyctcdecode"),
        ({"audio_filters": ["gone"]}, ConfigError, "audio_filters: 'gone' is unknown; known are: none"),
        ({"threads": 0}, ConfigError, "threads must be above zero, got 0"),
        ({"limits__workers": -1}, InputError, "limit workers must be"),
        ({"limits__queue_seconds": float("nan")}, InputError, "limit queue_seconds must be"),
    ],
)
def test_a_setting_that_cannot_be_is_named(values: dict[str, Any], error: type[SpeechError], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        Host.load(settings(**values), hooked(builtin))


def test_a_model_of_an_unknown_family_is_refused(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED / DEFAULT_MODEL, tmp_path / "odd")
    manifest = json.loads((tmp_path / "odd" / "manifest.json").read_text())
    (tmp_path / "odd" / "manifest.json").write_text(json.dumps(manifest | {"family": "strange"}))
    with pytest.raises(BundleError, match="odd: no plugin loads models of family 'strange'; known are: native"):
        Host.load(settings(model="odd", models_folder=str(tmp_path)), hooked(builtin))


@pytest.mark.parametrize(
    ("names", "message"),
    [({"language": "de-DE"}, "language 'de-DE' is not installed; installed is 'en'"), ({"model": "x"}, "model 'x' is not installed")],
)
async def test_a_language_or_model_that_is_not_installed_is_refused(names: dict[str, str], message: str) -> None:
    async with hosted() as host:
        with pytest.raises(LanguageError, match=message):
            await host.open(**names)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "offered", "same"),
    [("en", "en-US", True), ("EN_us", "en-GB", True), ("de", "en", False), ("eng", "en", False), ("pt-BR", "pt_PT", True)],
)
def test_languages_are_told_apart_by_their_primary_tag(wanted: str, offered: str, *, same: bool) -> None:
    assert same_language(wanted, offered) is same


async def test_a_host_that_was_left_takes_nothing() -> None:
    async with hosted() as host:
        assert (await heard(host)).text == "hello"
    with pytest.raises(ClosedError):
        await host.open()


async def test_the_settings_vocabulary_biases_every_utterance_and_may_change_while_the_host_runs(tmp_path: Path) -> None:
    home = tmp_path / "home.txt"
    home.write_text("Bulb = kitchen light\t6\n")
    recording = load_clip(LIGHT)
    async with Host.load(settings(vocabulary=[str(home)], hot_words=["lamp:2"]), hooked(builtin)) as host:
        assert Phrase("lamp", 2.0) in host.vocabulary.snapshot().phrases
        assert await spoken(host, recording) == "turn on the bulb"
        home.write_text("Lantern = kitchen light\t6\n")
        assert (await host.refresh()).changed == (home,)
        assert await spoken(host, recording) == "turn on the lantern"
        home.unlink()
        [failure] = (await host.refresh()).failures
        assert "No such file" in str(failure)
        assert await spoken(host, recording) == "turn on the lantern"


async def spoken(host: Host, recording: Clip) -> str:
    """What the host hears."""
    async with await host.open(recording.source) as utterance:
        await utterance.feed(recording.data)
        return (await utterance.finish()).text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"vocabulary": ["gone.txt"]}, "gone.txt: No such file"),
        ({"grammars": ["gone.yaml"]}, "gone.yaml"),
        ({"hot_words": ["lamp"]}, "a hot word needs a boost"),
        ({"grammar__mode": "ajar"}, "grammar: mode must be one of"),
        ({"grammar__strictness": 1.5}, "grammar: strictness must lie in"),
    ],
)
def test_a_vocabulary_or_grammar_that_cannot_be_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Host.load(settings(**values), hooked(builtin))


def test_plugins_are_configured_before_anything_of_theirs_is_asked_for() -> None:
    told: list[str] = []
    noting = plugin(ds_configure=lambda settings: told.append("configured"), ds_register_decoder=lambda register: told.append("asked"))
    Host.load(settings(), hooked(builtin, noting))
    assert told == ["configured", "asked"]
