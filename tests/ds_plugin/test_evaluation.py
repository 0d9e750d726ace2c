"""Error rates as the field computes them, and manifests whose faults are named by line."""

from __future__ import annotations

from pathlib import Path

import jiwer
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ds_engine.errors import AudioError, InputError
from ds_plugin.evaluation import MAX_MANIFEST_BYTES, Scored, Utterance, evaluate, read_manifest, score
from tests.ds_engine.fakes import said
from tests.ds_plugin.helpers import hosted

words = st.lists(st.sampled_from(["a", "bc", "d'e", "f"]), max_size=6).map(" ".join)


def scored(reference: str, hypothesis: str) -> Scored:
    return Scored(reference, hypothesis, 2.0, 0.5, 0.1)


def distance(one: str | list[str], other: str | list[str]) -> int:
    """Levenshtein's, by the textbook."""
    above = list(range(len(other) + 1))
    for number, mine in enumerate(one, 1):
        row = [number]
        for index, theirs in enumerate(other):
            row.append(min(above[index + 1] + 1, row[index] + 1, above[index] + (mine != theirs)))
        above = row
    return above[-1]


@pytest.mark.parametrize(
    ("pairs", "wer", "cer", "right"),
    [
        ([("turn on the lamp", "turn on the lamp")], 0.0, 0.0, 1.0),
        ([("turn on the lamp", "turn off the lamp")], 1 / 4, 2 / 16, 0.0),
        ([("turn on", "")], 1.0, 1.0, 0.0),
        ([("on", "on on on")], 2.0, 3.0, 0.0),
        ([("a b", "a b"), ("c", "d")], 1 / 3, 1 / 4, 0.5),
        ([("Turn ON, Grandma\u2019s lamp!", "turn on grandma's lamp")], 0.0, 0.0, 1.0),
    ],
)
def test_rates_of_known_cases(pairs: list[tuple[str, str]], wer: float, cer: float, right: float) -> None:
    result = score([scored(*pair) for pair in pairs])
    assert [result.wer, result.cer, result.sentence_accuracy] == pytest.approx([wer, cer, right])


@given(st.lists(st.tuples(words.filter(bool), words), min_size=1, max_size=5))
def test_rates_agree_with_jiwer_and_with_the_textbook(pairs: list[tuple[str, str]]) -> None:
    result = score([scored(*pair) for pair in pairs])
    references, hypotheses = [reference for reference, _ in pairs], [hypothesis for _, hypothesis in pairs]
    assert result.wer == jiwer.wer(references, hypotheses)
    assert result.cer == jiwer.cer(references, hypotheses)
    errors = sum(distance(reference.split(), hypothesis.split()) for reference, hypothesis in pairs)
    assert result.wer == pytest.approx(errors / sum(len(reference.split()) for reference in references))
    assert result.cer == pytest.approx(sum(distance(*pair) for pair in pairs) / sum(map(len, references)))


def test_times_are_added_up_and_the_slowest_twentieth_is_left_out() -> None:
    latencies = [number / 100 for number in range(101)]
    result = score([Scored("a", "a", 2.0, 0.5, latency) for latency in reversed(latencies)], 3)
    assert [result.rtf, result.final_latency_p95] == pytest.approx([0.25, 0.95])
    assert (result.utterances, result.speakers) == (101, 3)
    assert result.as_json()["rtf"] == 0.25


def test_silence_counts_for_sentences_and_not_for_words() -> None:
    result = score([scored("", ""), scored("", "oh"), scored("a", "a")])
    assert [result.wer, result.sentence_accuracy] == pytest.approx([0, 2 / 3])


@pytest.mark.parametrize("texts", [[], [""], ["...", "!"]])
def test_without_reference_words_there_is_nothing_to_evaluate(texts: list[str]) -> None:
    with pytest.raises(InputError, match="nothing to evaluate"):
        score([scored(text, "a") for text in texts])


def test_a_manifest_is_read_relative_to_itself(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_text('speaker\ttext\tfile\textra\nann\tturn "on\ta.wav\tx\n\nbob\t\t/b.wav\n', "utf-8-sig")
    assert read_manifest(path) == [Utterance(tmp_path / "a.wav", 'turn "on', "ann"), Utterance(Path("/b.wav"), "", "bob")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no utterances"),
        (b"file\ttext\n", "no utterances"),
        (b"file,text\na.wav,on\n", "line 2: needs the columns 'file' and 'text'"),
        (b"file\ttext\na.wav\ton\n\n\nb.wav\n", "line 5: needs the columns"),
        (b"file\ttext\n\ton\n", "line 2: needs the columns"),
        (b"file\ttext\na\t\xff\n", "not a tab-separated text file"),
        (b"file\ttext\na\t" + b"x" * 200_000, "not a tab-separated text file"),
    ],
)
def test_a_fault_of_a_manifest_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^{path}.*{message}"):
        read_manifest(path)


def test_a_manifest_that_is_missing_a_directory_or_endless_is_named(tmp_path: Path) -> None:
    with (tmp_path / "endless").open("wb") as file:
        file.truncate(MAX_MANIFEST_BYTES + 1)
    for path, message in ((tmp_path, "Is a directory"), (tmp_path / "gone", "No such file"), (tmp_path / "endless", "longer than")):
        with pytest.raises(InputError, match=f"^{path}: {message}"):
            read_manifest(path)


async def test_recordings_are_recognised_and_scored(tmp_path: Path) -> None:
    spoken = {"a.wav": "turn on", "b.wav": "turn off"}
    for name, text in spoken.items():
        soundfile.write(tmp_path / name, np.frombuffer(said(text), "<i2"), 16_000)
    utterances = [Utterance(tmp_path / name, "Turn on!", "ann") for name in spoken]
    ticks: list[int] = []
    async with hosted() as host:
        result = await evaluate(host, utterances, lambda: ticks.append(1))
        with pytest.raises(AudioError, match="gone"):
            await evaluate(host, [Utterance(tmp_path / "gone.wav", "x")])
    assert (result.wer, result.sentence_accuracy, result.speakers, len(ticks)) == (0.25, 0.5, 1, 2)
    assert 0 < result.final_latency_p95 < 1
    assert result.rtf > 0
