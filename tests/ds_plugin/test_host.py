"""A host loads what the settings name, or says which setting is at fault."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias, Phrase
from ds_engine.decoder import DecoderContext
from ds_engine.errors import BundleError, ClosedError, InputError, LanguageError, SpeechError
from ds_engine.greedy import GreedyDecoder
from ds_engine.limits import Limits
from ds_plugin import builtin
from ds_plugin.config import ConfigError, Schema, Settings
from ds_plugin.host import HOST_OPTIONS, MANY_PHRASES, Host
from ds_plugin.measurement import Clip, load_clip
from ds_plugin.models import BUNDLED, DEFAULT_MODEL
from ds_plugin.observer import HookObserver
from ds_plugin.offers import Offer, Served
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary import source as published
from ds_plugin.vocabulary.current import Vocabulary
from tests.ds_engine import bundles
from tests.ds_engine.fakes import CHARACTERS, ReplayModel, replaying, silence, turns, until
from tests.ds_plugin.command_line import LIGHT
from tests.ds_plugin.helpers import MANIFEST, heard, hooked, hosted, plugin
from tests.ds_plugin.sources import Source, names, sentences
from tests.ds_plugin.test_offers import Loading, at_once


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


class Telling(GreedyDecoder):
    """A decoder that tells the biases that it starts with, and waits at a gate where there is one."""

    def __init__(self, context: DecoderContext, biases: list[Bias]) -> None:
        super().__init__(context.alphabet, context.timing)
        self._biases = biases

    def start(self, bias: Bias) -> Any:
        self._biases.append(bias)
        return super().start(bias)


@dataclass(frozen=True)
class Models:
    """A folder with models, and a host of them."""

    folder: Path
    biases: dict[str, list[Bias]] = field(default_factory=dict)  # by language

    def model(self, name: str, language: str, network: bytes | None = None, **more: Any) -> Path:
        """Installs a model."""
        return bundles.write(self.folder / name, network, lambda written: written.update(name=name, language=language, **more))

    def host(self, *plugins: object, **values: Any) -> Host:
        """A host whose settings these are."""

        def telling(context: DecoderContext) -> Telling:
            return Telling(context, self.biases.setdefault(context.bundle.manifest.language, []))

        given = {"model": "english", "decoder": "telling", "models_folder": str(self.folder)} | values
        return Host.load(
            settings(**given), hooked(builtin, plugin(ds_register_decoder=lambda register: register("telling", telling)), *plugins)
        )

    def heard(self, language: str) -> set[str]:
        """The phrases that the newest utterance of a language was biased by, or its decoder prepared for."""
        return {phrase.text for phrase in self.biases[language][-1].phrases}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "models").mkdir()
    home = Models(tmp_path / "models")
    home.model("english", "en-US")
    home.model("german", "de")
    return home


async def test_all_models_are_offered_but_for_those_that_cannot_be_opened_or_that_nobody_loads(home: Models) -> None:
    home.model("strange", "fr", family="strange")
    home.model("british", "en-GB")
    (home.folder / "broken").mkdir()
    (home.folder / "broken" / "manifest.json").write_text("{")
    (home.folder / "notes.txt").write_text("none")
    host = home.host(models=["*"])
    assert [manifest.name for manifest in host.manifests] == ["english", "british", "german", DEFAULT_MODEL]
    assert host.manifests[0] is host.manifest
    assert list(home.biases) == ["en-US"]  # nothing else is loaded


@pytest.mark.parametrize(
    ("named", "offered"),
    [
        ([], ["english"]),
        (["german"], ["english", "german"]),
        (["english"], ["english"]),
        (["german", "german", "english"], ["english", "german"]),
        ([DEFAULT_MODEL, "*", "german"], ["english", DEFAULT_MODEL, "german"]),
    ],
)
def test_models_that_are_named_are_offered_once_in_their_order(named: list[str], offered: list[str], home: Models) -> None:
    assert [manifest.name for manifest in home.host(models=named).manifests] == offered


def test_a_model_of_a_name_that_is_taken_is_left_out(home: Models, tmp_path: Path) -> None:
    elsewhere = Models(tmp_path)
    first, second = elsewhere.model("english", "fr"), elsewhere.model("german", "fr")
    assert [manifest.language for manifest in home.host(models=[str(first)]).manifests] == ["en-US"]
    assert [manifest.language for manifest in home.host(models=["german", str(second)]).manifests] == ["en-US", "de"]


@pytest.mark.parametrize(("name", "message"), [("gone", "no model 'gone'"), ("strange", "no plugin loads models of family 'strange'")])
def test_a_model_that_is_named_must_be_there(name: str, message: str, home: Models) -> None:
    home.model("strange", "fr", family="strange")
    with pytest.raises(BundleError, match=message):
        home.host(models=[name])


@pytest.mark.parametrize(
    ("names", "listens"),
    [
        ({}, ("english 1", "en-US")),
        ({"language": "en-GB"}, ("british 1", "en-GB")),
        ({"language": "en"}, ("english 1", "en-US")),
        ({"language": "de-AT"}, ("german 1", "de")),
        ({"model": "british"}, ("british 1", "en-GB")),
        ({"model": "german", "language": "de"}, ("german 1", "de")),
    ],
)
async def test_the_model_that_serves_best_listens(names: dict[str, str], listens: tuple[str, str], home: Models) -> None:
    home.model("british", "en-GB")
    async with home.host(models=["british", "german"]) as host:
        host.choose(**names)
        async with await host.open(**names) as utterance:  # type: ignore[arg-type]
            assert (utterance.info.model, utterance.info.language) == listens
            await utterance.feed(silence(0.5))
            transcript = await utterance.finish()
            assert (transcript.model, transcript.language) == listens


async def test_a_model_that_is_asked_for_twice_at_once_is_loaded_once(home: Models) -> None:
    async with home.host(models=["german"]) as host:
        utterances = await asyncio.gather(*(host.open(language="de") for _ in range(3)))
        assert len({id(utterance.recognizer) for utterance in utterances}) == 1
        for utterance in utterances:
            await utterance.close()


async def test_a_model_that_turns_out_broken_is_offered_no_more(home: Models, caplog: pytest.LogCaptureFixture) -> None:
    home.model("french", "fr", b"no network")
    async with home.host(models=["*"]) as host:
        assert "fr" in [manifest.language for manifest in host.manifests]
        outcomes = await asyncio.gather(*(host.open(language="fr") for _ in range(2)), return_exceptions=True)
        assert [type(each) for each in outcomes] == [BundleError] * 2
        assert "fr" not in [manifest.language for manifest in host.manifests]
        with pytest.raises(LanguageError, match="language 'fr' is not installed"):
            await host.open(language="fr")
        async with await host.open() as utterance:
            assert utterance.info.language == "en-US"
    assert any(message.startswith("model french is offered no more") for message in caplog.messages)


async def test_what_loads_delays_nobody_and_leaving_does_not_wait_for_it() -> None:
    german = Loading()
    async with hosted_with(german) as host:
        asking = asyncio.create_task(host.open(language="de"))
        await until(german.begun.is_set)
        for _ in range(3):
            assert (await heard(host)).text == "hello"
    with pytest.raises(ClosedError):
        await asking
    german.may_go_on.set()


async def test_whoever_opens_a_further_model_after_the_end_gets_an_error_and_loads_nothing() -> None:
    german = at_once()
    async with hosted_with(german) as host:
        pass
    with pytest.raises(ClosedError):
        await host.open(language="de")
    assert german.times == 0


def hosted_with(*loadings: Loading, sources: tuple[Source, ...] = ()) -> Host:
    """A host that offers these models beside its own."""
    observer = HookObserver(hooked(), (), None)
    return Host(replaying(), MANIFEST, Limits(shutdown_seconds=0.01), observer, further=[each.offer for each in loadings], sources=sources)


async def test_a_household_reaches_models_that_are_loaded_and_those_that_will_be(home: Models) -> None:
    source = Source("home", lambda: names("ab"))
    async with home.host(plugin(ds_vocabulary_source=lambda: source), models=["german"]) as host:
        await until(lambda: source.publish is not None)
        assert source.languages == [("en-US", "de")] * 2
        assert [bias.phrases for bias in home.biases["en-US"]] == [(Phrase("ab", 1.0),)]  # prepared before anybody speaks
        await (await host.open(language="de")).close()
        assert home.heard("de") == {"ab"}
        source.told(names("ba"))
        await until(lambda: home.heard("de") == {"ba"} == home.heard("en-US"))
        await (await host.open(language="de")).close()
        assert home.heard("de") == {"ba"}


async def test_what_is_published_while_a_model_begins_is_not_overwritten_by_what_was_known_before() -> None:
    gate, begun = threading.Event(), threading.Event()

    class Slow(GreedyDecoder):
        """A decoder that takes its time over each household."""

        def start(self, bias: Bias) -> Any:
            begun.set()
            assert gate.wait(20)
            return super().start(bias)

    def load() -> Served:
        vocabulary = Vocabulary(Reader(CHARACTERS, "de"), language="de")
        return Served.of(german, replaying(decoder=Slow(CHARACTERS, ReplayModel().timing)), vocabulary)

    german = replace(MANIFEST, name="german", language="de")
    sources = Source("one"), Source("two")
    host = Host(
        replaying(),
        MANIFEST,
        Limits(shutdown_seconds=0.01),
        HookObserver(hooked(), (), None),
        further=[Offer(german, load)],
        sources=sources,
    )
    async with host:
        await until(lambda: all(source.publish is not None for source in sources))
        for source in sources:
            source.told(names("old"))
        await until(lambda: len(host.vocabulary.heard) == 2)
        opening = asyncio.create_task(host.open(language="de"))
        await until(begun.is_set)
        sources[1].told(names("new"))
        await until(lambda: host.vocabulary.heard["two"].household == names("new"))
        await turns()
        gate.set()
        utterance = await opening
        further = host._offers.loaded[1].vocabulary
        await until(lambda: "two" in further.heard)
        await turns(200)
        assert [further.heard[name].household for name in ("one", "two")] == [names("old"), names("new")]
        await utterance.close()


async def test_the_settings_grammars_are_the_first_models_and_its_vocabulary_is_everybodys(home: Models, tmp_path: Path) -> None:
    grammar, words = tmp_path / "on.yaml", tmp_path / "home.txt"
    grammar.write_text("language: en\nintents: {Go: {data: [{sentences: [abba]}]}}\n")
    words.write_text("cab\n")
    async with home.host(models=["german"], grammars=[str(grammar)], vocabulary=[str(words)], hot_words=["bac:3"]) as host:
        for language in ("en", "de"):
            await (await host.open(language=language)).close()
        assert home.heard("de") == home.heard("en-US") == {"cab", "bac"}
        assert [len(home.biases[language][-1].grammars) for language in ("en-US", "de")] == [1, 0]
        words.write_text("abc cab\n")
        await host.refresh()
        assert home.heard("de") == home.heard("en-US") == {"abc cab", "bac"}


@pytest.mark.parametrize(("language", "listening"), [("de-DE", {"de"}), ("en", {"en-US"}), ("", {"en-US", "de"}), ("fr", set())])
async def test_published_sentences_are_for_the_models_of_their_language(language: str, listening: set[str], home: Models) -> None:
    household = published.Household((), (sentences("abba", language=language),))
    given = plugin(ds_vocabulary_source=lambda: Source("home", lambda: household))
    async with home.host(given, models=["german"]) as host:
        for each in ("en", "de"):
            await (await host.open(language=each)).close()
        assert {each for each in ("en-US", "de") if home.biases[each][-1].grammars} == listening


@pytest.mark.parametrize("stored", ["lamp", published.Household((), (sentences("turn (on"),))], ids=["nonsense", "broken"])
async def test_what_a_source_remembers_wrongly_does_not_keep_the_host_from_starting(stored: object, home: Models) -> None:
    async with home.host(plugin(ds_vocabulary_source=lambda: Source("home", lambda: stored))) as host:
        assert (await spoken(host, Clip(AudioFormat(), silence(0.2)))) == ""


async def test_leaving_ends_every_source() -> None:
    source = Source()
    async with hosted_with(sources=(source,)):
        await until(lambda: source.publish is not None)
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Waiting(Vocabulary):
    """Reads what is more than a few phrases only once others have had their turn."""

    def __init__(self) -> None:
        super().__init__(Reader(MANIFEST.alphabet, "en"))
        self.others = threading.Event()

    def read(self, bias: Bias) -> Bias:
        assert len(bias.phrases) <= MANY_PHRASES or self.others.wait(20), "the event loop stood still"
        return super().read(bias)


async def test_reading_many_phrases_of_one_client_holds_up_nobody() -> None:
    vocabulary = Waiting()
    async with Host(replaying(), MANIFEST, Limits(), HookObserver(hooked()), vocabulary) as host:
        opening = asyncio.ensure_future(host.open(bias=Bias(tuple(Phrase(f"x{number}") for number in range(MANY_PHRASES + 1)))))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not opening.done()
        vocabulary.others.set()
        await (await opening).close()
