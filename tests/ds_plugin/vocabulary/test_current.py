"""What biases the decoder follows files and hot words, and what was there before a fault stays."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from ds_engine.bias import MAX_PHRASES, Bias, Phrase, Pronunciation
from ds_engine.errors import BiasError, GrammarError
from ds_engine.grammar.graph import Grammar, Spoken
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.contents import Refreshed, Sources
from ds_plugin.vocabulary.current import SHOWN_PROBLEMS, Vocabulary
from ds_plugin.vocabulary.files import DEFAULT_BOOST
from ds_plugin.vocabulary.source import Household
from tests.ds_plugin.grammars.template_helpers import said
from tests.ds_plugin.sources import names, sentences
from tests.ds_plugin.vocabulary.households import ENGLISH, load_lines


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home.txt"
    path.write_text("Zoë's TV\t3\nlamp\n")
    return path


@pytest.fixture
def other(tmp_path: Path) -> Path:
    path = tmp_path / "other.txt"
    path.write_text("TV = t v\nLamp\t-1\nhall\t0\n")
    return path


def of(*files: Path, grammars: tuple[Path, ...] = ()) -> Vocabulary:
    return Vocabulary(ENGLISH, Sources(files, grammars), load_lines)


def write(path: Path, text: str) -> None:
    """Writes a file so that it has changed, however quickly one test writes after the other."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def test_several_files_are_one_vocabulary(home: Path, other: Path) -> None:
    snapshot = of(home, other).snapshot()
    assert snapshot.phrases == (Phrase("zoë's tv", 3.0), Phrase("lamp", DEFAULT_BOOST), Phrase("hall", 0.0))
    assert set(snapshot.pronunciations) == {Pronunciation("zoë's", "zoe's"), Pronunciation("tv", "t v")}
    assert of(other, home).snapshot().pronunciations == of(home, other).snapshot().pronunciations


def test_a_pronunciation_with_a_boost_is_a_phrase_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("TV = t v\t4\nPC = p c\n")
    assert of(tmp_path / "a.txt").snapshot().phrases == (Phrase("tv", 4.0),)


def test_without_sources_nothing_is_expected_and_nothing_changes() -> None:
    vocabulary = Vocabulary(ENGLISH)
    assert vocabulary.snapshot() == Bias()
    assert vocabulary.refresh() == Refreshed()


def test_a_grammar_needs_somebody_who_reads_it(tmp_path: Path) -> None:
    with pytest.raises(GrammarError, match="grammars cannot be loaded here"):
        Vocabulary(ENGLISH, Sources((), (tmp_path / "home.yaml",)))


@pytest.mark.parametrize("content", [None, "lamp\tmuch\nhall\tnan\n", b"l\xe4mp"])
def test_a_file_that_is_broken_at_the_start_is_refused_by_name(content: str | bytes | None, home: Path) -> None:
    home.unlink()
    if content is not None:
        home.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BiasError, match=rf"^{home}(, line 1)?: "):
        of(home)


def test_the_snapshot_is_the_same_object_until_something_changes(home: Path) -> None:
    vocabulary = of(home)
    first = vocabulary.snapshot()
    vocabulary.refresh()
    assert vocabulary.snapshot() is first
    vocabulary.add_hot_word("hall", 5)
    second = vocabulary.snapshot()
    assert vocabulary.snapshot() is second
    assert second is not first
    vocabulary.clear_hot_words()
    assert vocabulary.snapshot() == first
    write(home, "hall\n")
    vocabulary.refresh()
    assert vocabulary.snapshot().phrases == (Phrase("hall", DEFAULT_BOOST),)
    assert len(first.phrases) == 2


def test_only_what_has_changed_is_read_again(home: Path, tmp_path: Path) -> None:
    loaded: list[Path] = []

    def load(path: Path, reader: Reader) -> Loaded:
        loaded.append(path)
        return load_lines(path)

    grammar = tmp_path / "on.yaml"
    grammar.write_text("on off")
    vocabulary = Vocabulary(ENGLISH, Sources((home,), (grammar,)), load)
    [before] = vocabulary.snapshot().grammars
    write(home, "hall\n")
    assert vocabulary.refresh() == Refreshed((home,))
    assert vocabulary.snapshot().grammars == (before,)
    write(grammar, "on")
    assert vocabulary.refresh() == Refreshed((grammar,))
    assert vocabulary.snapshot().grammars != (before,)
    assert vocabulary.refresh() == Refreshed()
    assert loaded == [grammar, grammar]
    assert vocabulary.refresh(anew=True).changed == (home, grammar)


def test_a_file_that_breaks_leaves_what_it_held_and_is_told_once(home: Path, tmp_path: Path) -> None:
    grammar = tmp_path / "on.yaml"
    grammar.write_text("on off")
    vocabulary = of(home, grammars=(grammar,))
    before = vocabulary.snapshot()
    write(home, "lamp\tmuch")
    grammar.unlink()
    refreshed = vocabulary.refresh()
    assert [type(failure) for failure in refreshed.failures] == [BiasError, GrammarError]
    assert vocabulary.snapshot() == before
    assert vocabulary.refresh() == Refreshed()
    write(home, "hall")
    write(grammar, "on")
    assert vocabulary.refresh() == Refreshed((home, grammar))
    assert vocabulary.snapshot().phrases == (Phrase("hall", DEFAULT_BOOST),)


def test_files_that_are_too_long_together_leave_what_was_there(home: Path, other: Path) -> None:
    vocabulary = of(home, other)
    before = vocabulary.snapshot()
    many = "".join(f"a{''.join('abcdefghij'[int(digit)] for digit in str(number))}\n" for number in range(MAX_PHRASES))
    write(home, many)
    [failure] = vocabulary.refresh().failures
    assert str(failure) == f"the vocabulary files hold at most {MAX_PHRASES} phrases together, got {MAX_PHRASES + 2}"
    assert vocabulary.snapshot() == before
    write(other, "")
    assert len(vocabulary.refresh().failures) == 0
    assert len(vocabulary.snapshot().phrases) == MAX_PHRASES


def test_files_inside_a_folder_and_beside_a_profile_count(tmp_path: Path) -> None:
    (tmp_path / "sentences").mkdir()
    (tmp_path / "slots").mkdir()
    profile, folder, slot = tmp_path / "sentences.ini", tmp_path / "sentences", tmp_path / "slots" / "rooms"
    profile.write_text("on")
    slot.write_text("hall")
    vocabulary = Vocabulary(ENGLISH, Sources((), (profile, folder)), lambda path, reader: load_lines(profile))
    write(slot, "kitchen")
    assert vocabulary.refresh().changed == (profile,)
    write(folder / "new.yaml", "off")
    assert vocabulary.refresh().changed == (folder,)
    (folder / "new.yaml").unlink()
    assert vocabulary.refresh().changed == (folder,)


def test_a_pipe_never_changes_because_it_can_be_read_only_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    vocabulary = Vocabulary(ENGLISH, Sources((), (tmp_path / "pipe",)), lambda path, reader: Loaded(Grammar("said", {}, {})))
    os.utime(tmp_path / "pipe", ns=(1, 1))
    assert vocabulary.refresh() == Refreshed()


def test_what_cannot_be_used_is_told_once_and_hinders_nothing(home: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    grammar = tmp_path / "on.yaml"
    grammar.write_text("on 🛋")
    write(home, "Иван\nlamp\n")
    vocabulary = of(home, grammars=(grammar,))
    problems = [f"{home}, line 1: 'Иван': no letters for 'иван'; write how it is said, as in Иван = ...", f"{grammar}: 🛋"]
    assert list(vocabulary.contents.problems) == problems
    assert caplog.messages == problems
    assert vocabulary.snapshot().phrases == (Phrase("lamp", DEFAULT_BOOST),)
    write(home, "Иван\nhall\n🛋\n")
    vocabulary.refresh()
    assert caplog.messages[2:] == [f"{home}, line 3: '🛋': nothing of it can be said; write how it is said, as in 🛋 = ..."]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_a_thousand_names_that_cannot_be_used_do_not_fill_the_log(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(home, "🛋\n" * 1000)
    assert len(of(home).contents.problems) == 1000
    assert len(caplog.messages) == SHOWN_PROBLEMS + 1
    assert caplog.messages[-1].startswith("990 more words and sentences cannot be used")


def test_hot_words_come_and_go_by_deepspeechs_verbs(home: Path) -> None:
    vocabulary = of(home)
    vocabulary.add_hot_word("Noël  Lamp", 5.0)
    vocabulary.add_hot_word("LAMP", 7.0)
    snapshot = vocabulary.snapshot()
    assert snapshot.phrases == (Phrase("zoë's tv", 3.0), Phrase("lamp", 7.0), Phrase("noël lamp", 5.0))
    assert Pronunciation("noël", "noel") in snapshot.pronunciations
    with pytest.raises(BiasError, match="'lamp' is there already"):
        vocabulary.add_hot_word(" lamp", 1.0)
    vocabulary.erase_hot_word("Lamp")
    assert Phrase("lamp", DEFAULT_BOOST) in vocabulary.snapshot().phrases
    with pytest.raises(BiasError, match="there is no hot word 'lamp'"):
        vocabulary.erase_hot_word("Lamp")
    vocabulary.clear_hot_words()
    vocabulary.clear_hot_words()
    assert vocabulary.snapshot() == of(home).snapshot()
    assert len(snapshot.phrases) == 3


@pytest.mark.parametrize(("word", "boost"), [("🛋", 5.0), ("Иван", 5.0), ("", 5.0), ("lamp", 21.0), ("lamp", float("nan")), ("...", 1.0)])
def test_a_hot_word_that_cannot_be_used_is_refused(word: str, boost: float) -> None:
    vocabulary = Vocabulary(ENGLISH)
    with pytest.raises(BiasError):
        vocabulary.add_hot_word(word, boost)
    assert vocabulary.snapshot() == Bias()


def test_a_hot_word_follows_pronunciations_that_come_later(home: Path) -> None:
    vocabulary = of(home)
    vocabulary.add_hot_word("AC/DC", 5.0)
    assert Phrase("ac dc", 5.0) in vocabulary.snapshot().phrases
    write(home, "AC/DC = a c d c\n")
    vocabulary.refresh()
    assert vocabulary.snapshot() == Bias((Phrase("ac/dc", 5.0),), (Pronunciation("ac/dc", "a c d c"),))


def test_a_bias_of_somebody_else_is_read_as_people_write(home: Path) -> None:
    grammar = Grammar("said", {}, {})
    given = Bias(
        (Phrase("Zoë's 2 Lamps", 4.0), Phrase("🛋"), Phrase("hall", 1.0)), (Pronunciation("PC", "P-C"), Pronunciation("x", "🛋")), (grammar,)
    )
    heard = of(home).read(given)
    assert heard.phrases == (Phrase("zoë's two lamps", 4.0), Phrase("hall", 1.0))
    assert heard.pronunciations == (Pronunciation("pc", "p c"), Pronunciation("zoë's", "zoe's"))
    assert heard.grammars == (grammar,)
    assert heard.phrases[1] is given.phrases[2]


def test_a_grammar_says_names_that_only_a_pronunciation_can_say_and_follows_it(home: Path, tmp_path: Path) -> None:
    grammar = tmp_path / "on.yaml"
    grammar.write_text("on 北京")
    write(home, "TV = t v\n")
    vocabulary = of(home, grammars=(grammar,))
    assert vocabulary.contents.problems == (f"{grammar}: 北京",)
    write(home, "TV = t v\n北京 = bay jing\n")
    assert vocabulary.refresh().changed == (home, grammar)
    assert len(vocabulary.contents.problems) == 0
    assert said_in(vocabulary) == ["on", "bay jing"]
    write(home, "TV = telly\n北京 = bay jing\n")
    assert vocabulary.refresh().changed == (home,)


def said_in(vocabulary: Vocabulary) -> list[str]:
    """What the grammar's sentences sound like."""
    [grammar] = vocabulary.snapshot().grammars
    return [arc.label.word for arc in grammar.graphs["say"].arcs[0] if isinstance(arc.label, Spoken)]


def test_what_sources_publish_joins_files_and_hot_words(home: Path) -> None:
    vocabulary = of(home)
    vocabulary.hear("one", names("Noël", "Lamp", boost=4.0))
    vocabulary.hear("two", names("hall"))
    vocabulary.add_hot_word("door", 5.0)
    assert vocabulary.snapshot().phrases == (
        Phrase("zoë's tv", 3.0),
        Phrase("lamp", 4.0),
        Phrase("noël", 4.0),
        Phrase("hall", 1.0),
        Phrase("door", 5.0),
    )
    vocabulary.hear("one", Household())
    assert vocabulary.snapshot().phrases == (
        Phrase("zoë's tv", 3.0),
        Phrase("lamp", DEFAULT_BOOST),
        Phrase("hall", 1.0),
        Phrase("door", 5.0),
    )


def test_hearing_the_same_again_changes_nothing() -> None:
    vocabulary, prepared = Vocabulary(ENGLISH), list[Bias]()
    first = vocabulary.hear("home", names("lamp"), prepared.append)
    snapshot = vocabulary.snapshot()
    assert vocabulary.hear("home", names("lamp"), prepared.append) is first
    assert vocabulary.snapshot() is snapshot
    assert vocabulary.refresh(prepare=prepared.append) == Refreshed()
    assert [each is snapshot for each in prepared] == [True]


def test_a_pronunciation_in_a_file_changes_how_a_published_name_is_heard(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    vocabulary = Vocabulary(ENGLISH, Sources((home,)), load_lines, "en")
    heard = vocabulary.hear("home", Household((Phrase("北京", 2.0),), (sentences("turn on {name}", "go", name=["北京"]),)))
    assert vocabulary.snapshot().phrases == (Phrase("zoë's tv", 3.0), Phrase("lamp", DEFAULT_BOOST))
    assert said(heard.grammars["own"][1]) == {"go"}
    write(home, "北京 = bay jing\n")
    caplog.clear()
    assert vocabulary.refresh().changed == (home,)
    assert vocabulary.snapshot().phrases == (Phrase("北京", 2.0),)
    assert Pronunciation("北京", "bay jing") in vocabulary.snapshot().pronunciations
    assert said(vocabulary.heard["home"].grammars["own"][1]) == {"go", "turn on bay jing"}
    assert caplog.messages == []
    write(home, "北京 = pe king\n")
    vocabulary.refresh()
    assert said(vocabulary.heard["home"].grammars["own"][1]) == {"go", "turn on pe king"}
    write(home, "lamp\n")
    vocabulary.refresh()
    assert said(vocabulary.heard["home"].grammars["own"][1]) == {"go"}


def test_thousands_of_published_names_that_cannot_be_used_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    vocabulary = Vocabulary(ENGLISH)
    many = names(*(f"ж {''.join('abcdefghij'[int(digit)] for digit in str(number))}" for number in range(2000)))
    vocabulary.hear("home", many)
    assert len(vocabulary.heard["home"].problems) == 2000
    assert len(caplog.messages) == SHOWN_PROBLEMS + 1
    vocabulary.hear("home", Household((*many.phrases, Phrase("lamp"))))
    assert len(caplog.messages) == SHOWN_PROBLEMS + 1
    vocabulary.hear("home", Household((*many.phrases, Phrase("я"))))
    assert len(caplog.messages) == SHOWN_PROBLEMS + 2


def test_a_published_grammar_that_cannot_be_had_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    vocabulary = Vocabulary(ENGLISH, language="en")
    broken = (sentences("turn (on"),)
    vocabulary.hear("home", Household((), broken))
    vocabulary.hear("home", Household((Phrase("lamp"),), broken))
    [told] = caplog.messages
    assert told.startswith("home: own: template 'turn (on'")
    assert vocabulary.snapshot() == Bias((Phrase("lamp"),))


def test_whoever_asks_while_it_is_prepared_gets_what_was_there_before() -> None:
    vocabulary = Vocabulary(ENGLISH)
    vocabulary.hear("home", names("lamp"))
    before, seen = vocabulary.snapshot(), list[Bias]()

    def prepare(bias: Bias) -> None:
        seen.extend([bias, vocabulary.snapshot()])

    vocabulary.hear("home", names("hall"), prepare)
    assert seen == [Bias((Phrase("hall", 1.0),)), before]
    assert vocabulary.snapshot() is seen[0]


def test_what_cannot_be_prepared_is_not_taken() -> None:
    vocabulary = Vocabulary(ENGLISH)

    def prepare(bias: Bias) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vocabulary.hear("home", names("hall"), prepare)
    assert (vocabulary.snapshot(), dict(vocabulary.heard)) == (Bias(), {})


def test_a_hot_word_that_comes_while_it_is_prepared_is_not_lost() -> None:
    vocabulary = Vocabulary(ENGLISH)
    vocabulary.hear("home", names("hall"), lambda _: vocabulary.add_hot_word("lamp", 2.0))
    assert vocabulary.snapshot().phrases == (Phrase("hall", 1.0), Phrase("lamp", 2.0))
    vocabulary.hear("home", names("den"), lambda _: vocabulary.clear_hot_words())
    assert vocabulary.snapshot().phrases == (Phrase("den", 1.0),)
