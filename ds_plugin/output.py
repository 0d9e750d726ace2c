"""Transcripts as text, JSON lines, SubRip and WebVTT."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ds_engine.transcript import Hypothesis, Match, Transcript, Word

FORMATS = ("text", "json", "srt", "vtt")

CUE_WORDS = 10  # of a subtitle, at most
CUE_SECONDS = 5.0
CUE_PAUSE_SECONDS = 0.8  # a pause this long begins a new one
_MILLISECONDS = 3  # digits of a second that times carry
_CONFIDENCE_DIGITS = 4


def render(form: str, file: str, transcript: Transcript) -> str:
    """One file's transcript in one of FORMATS, without the last line's end."""
    if form == "json":
        return json.dumps(as_json(file, transcript), ensure_ascii=False)
    if form == "srt":
        return "\n\n".join(f"{number}\n{_span(cue, ',')}\n{_line(cue)}" for number, cue in enumerate(cues(transcript.best.words), 1))
    if form == "vtt":
        return "\n\n".join(["WEBVTT", *(f"{_span(cue, '.')}\n{_line(cue)}" for cue in cues(transcript.best.words))])
    return transcript.text


def as_json(file: str, transcript: Transcript) -> dict[str, Any]:
    """The JSON object of docs/reference/command-line.md; times in seconds."""
    best = transcript.best
    return {
        "file": file,
        "text": best.text,
        "confidence": round(best.confidence, _CONFIDENCE_DIGITS),
        "words": [_word(word) for word in best.words],
        "alternatives": [_alternative(hypothesis) for hypothesis in transcript.alternatives],
        "matched": None if best.match is None else _match(best.match),
        "audio_seconds": round(transcript.audio_seconds, _MILLISECONDS),
        "compute_seconds": round(transcript.compute_seconds, _MILLISECONDS),
        "model": transcript.model,
    }


def cues(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words in groups that fit a subtitle."""
    cue: list[Word] = []
    for word in words:
        full = len(cue) == CUE_WORDS or (cue and word.end - cue[0].start > CUE_SECONDS)
        if cue and (full or word.start - cue[-1].end >= CUE_PAUSE_SECONDS):
            yield cue
            cue = []
        cue.append(word)
    if cue:
        yield cue


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.text,
        "start": round(word.start, _MILLISECONDS),
        "end": round(word.end, _MILLISECONDS),
        "confidence": round(word.confidence, _CONFIDENCE_DIGITS),
    }


def _match(match: Match) -> dict[str, Any]:
    return {"grammar": match.grammar, "intent": match.intent, "sentence": match.sentence, "slots": dict(match.slots)}


def _alternative(hypothesis: Hypothesis) -> dict[str, Any]:
    return {"text": hypothesis.text, "confidence": round(hypothesis.confidence, _CONFIDENCE_DIGITS)}


def _line(cue: Sequence[Word]) -> str:
    return " ".join(word.text for word in cue)


def _span(cue: Sequence[Word], point: str) -> str:
    return f"{_clock(cue[0].start, point)} --> {_clock(cue[-1].end, point)}"


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
