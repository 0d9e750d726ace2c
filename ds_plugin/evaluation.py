"""Evaluation: a manifest of recordings and texts in, error rates, speed and latency out.

Texts are compared lower-case and without punctuation (apostrophes stay), as the field does. The final latency of an utterance
is the time from its last byte, everything before it being decoded already, to its transcript.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ds_engine.errors import InputError
from ds_engine.text import normalise
from ds_plugin.audio_files import open_audio
from ds_plugin.host import Host

PIECE_SECONDS = 0.1  # audio is fed in pieces of this duration
MAX_MANIFEST_BYTES = 256 * 2**20
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Utterance:
    """A line of a manifest."""

    file: Path
    text: str
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """An utterance that has been recognised."""

    reference: str
    hypothesis: str
    audio_seconds: float
    compute_seconds: float
    final_latency: float  # s


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result over a manifest; rates as fractions, times in seconds."""

    utterances: int
    wer: float
    cer: float
    sentence_accuracy: float
    rtf: float
    final_latency_p95: float
    speakers: int  # 0 where the manifest names none

    def as_json(self) -> dict[str, Any]:
        """Rounded for reading."""
        return {name: round(value, _DIGITS) for name, value in asdict(self).items()}


def read_manifest(path: Path) -> list[Utterance]:
    """Reads a TSV with a header line and the columns file, text and, if wanted, speaker. Raises InputError naming the line."""
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise InputError(f"{path}: longer than {MAX_MANIFEST_BYTES} bytes")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _utterances(path, csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a tab-separated text file ({error})") from error


async def evaluate(host: Host, utterances: Sequence[Utterance], progress: Callable[[], None] | None = None) -> Evaluation:
    """Recognises every utterance, one after the other, and scores them."""
    scored = []
    for utterance in utterances:
        scored.append(await _recognise(host, utterance))
        if progress:
            progress()
    return score(scored, len({utterance.speaker for utterance in utterances if utterance.speaker}))


def score(scored: Sequence[Scored], speakers: int = 0) -> Evaluation:
    """Error rates over all utterances together. Raises InputError where there are no words to compare with."""
    import jiwer

    pairs = [(normalise(each.reference), normalise(each.hypothesis)) for each in scored]
    spoken = [(reference, hypothesis) for reference, hypothesis in pairs if reference]
    if not spoken:
        raise InputError("nothing to evaluate: no reference text")
    references, hypotheses = [list(side) for side in zip(*spoken, strict=True)]
    audio = sum(each.audio_seconds for each in scored)
    return Evaluation(
        utterances=len(scored),
        wer=jiwer.wer(references, hypotheses),
        cer=jiwer.cer(references, hypotheses),
        sentence_accuracy=sum(reference == hypothesis for reference, hypothesis in pairs) / len(pairs),
        rtf=sum(each.compute_seconds for each in scored) / audio if audio else 0.0,
        final_latency_p95=float(np.percentile([each.final_latency for each in scored], 95)),
        speakers=speakers,
    )


async def _recognise(host: Host, utterance: Utterance) -> Scored:
    with open_audio(utterance.file) as audio:
        async with await host.open(audio.format, origin="evaluate") as stream:
            began = time.perf_counter()
            for piece in audio.blocks(PIECE_SECONDS):
                await stream.drained()
                began = time.perf_counter()  # in the end: when the last piece came
                await stream.feed(piece)
            transcript = await stream.finish()
            latency = time.perf_counter() - began
    return Scored(utterance.text, transcript.text, transcript.audio_seconds, transcript.compute_seconds, latency)


def _utterances(path: Path, rows: csv.DictReader[str]) -> list[Utterance]:
    found = []
    for row in rows:
        file, text = row.get("file"), row.get("text")
        if not file or text is None:
            raise InputError(f"{path}, line {rows.line_num}: needs the columns 'file' and 'text'")
        found.append(Utterance(path.parent / file, text, row.get("speaker") or ""))
    if not found:
        raise InputError(f"{path}: no utterances")
    return found
