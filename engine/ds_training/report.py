"""The whole report of a model: a listener and trials in; figures by group and noise, confusions and a comparison out.

What was said and found stands in `Report.results`, and single words in the confusions: whoever writes a report down decides whether they
may be written (`to_json` holds confusions, where they were asked for, and never whole texts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ds_engine.features import LogMel, LogMelSpec
from ds_training import confusions
from ds_training.confusions import Confusions, Place
from ds_training.corpus import CorpusError
from ds_training.figures import Comparison, Figures, Result, compare, figures_of, results_of
from ds_training.groups import PITCH_NOTE, groups_of
from ds_training.hearing import Listener
from ds_training.pitch import median_pitch
from ds_training.trials import Booth, Noise, Samples, Trial, seconds_of

BLOCK = 128  # trials whose sounds are held at once
PITCH_UTTERANCES = 10  # of a voice, that its pitch is measured on
DIGITS = 5  # of fractions in JSON

Pronounce = Callable[[Sequence[str]], list[str]]  # texts -> phones, see phones.py


@dataclass(frozen=True, slots=True)
class Questions:
    """What a report is to tell beside figures by group. Raises CorpusError for a number of confusions below 0."""

    noises: tuple[Noise, ...] = ()
    confusions: int = 0  # of each kind, most frequent first; 0: none, since words of the recordings stand in them
    pronounce: Pronounce | None = None  # phones of what was found, for confusions of phones
    pitch: bool = True  # of the voices, where there are recordings
    seed: int = 1  # of noise and of the draws behind the intervals

    def __post_init__(self) -> None:
        if self.confusions < 0:
            raise CorpusError(f"confusions need a number of at least 0, got {self.confusions}")


@dataclass(frozen=True, slots=True)
class Line:
    """Figures, and the difference to another model where there is one."""

    figures: Figures
    difference: Comparison | None = None


@dataclass(frozen=True, slots=True)
class NoisyLine:
    """All trials with a noise."""

    noise: Noise
    line: Line


@dataclass(frozen=True, slots=True)
class Report:
    """What was found out about a model. `groups` is dimension -> group -> line, `mistaken` is characters, words, phones -> confusions."""

    model: str
    against: str
    overall: Line
    groups: Mapping[str, Mapping[str, Line]]
    noisy: tuple[NoisyLine, ...] = ()
    mistaken: Mapping[str, Confusions] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()  # without noise, in the order of the trials

    def to_json(self) -> dict[str, Any]:
        """Plain values, fractions rounded; the overall figures stand at the top."""
        noisy = [{**asdict(each.noise), **_plain(each.line)} for each in self.noisy]
        groups = {name: {group: _plain(line) for group, line in lines.items()} for name, lines in self.groups.items()}
        whole: dict[str, Any] = {"model": self.model, **_plain(self.overall), "groups": groups, "noise": noisy}
        whole |= {"against": self.against} if self.against else {}
        whole |= {"confusions": {unit: asdict(each) for unit, each in self.mistaken.items()}} if self.mistaken else {}
        whole |= {"places": {place: {**asdict(each), "rate": each.rate} for place, each in self.places.items()}} if self.places else {}
        rounded: dict[str, Any] = _rounded({**whole, "notes": self.notes})
        return rounded


def report(model: Listener, trials: Sequence[Trial], questions: Questions | None = None, against: Listener | None = None) -> Report:
    """Hears every trial, clean and with each noise, by one model or two. Raises CorpusError where there are no trials."""
    if not trials:
        raise CorpusError("an evaluation needs at least one utterance, got none")
    asked, mel = questions or Questions(), LogMel(LogMelSpec())
    models, booth = [model, *([against] if against else [])], Booth(trials, mel, asked.seed)
    results, *others = _heard(models, trials, booth, mel)
    if asked.pitch:
        results = _with_pitch(results, trials, booth)
    groups = {
        name: {group: _line(_chosen([results, *others], indices), asked.seed) for group, indices in parts.items()}
        for name, parts in groups_of(results).items()
    }
    return Report(
        model=model.name,
        against=against.name if against else "",
        overall=_line([results, *others], asked.seed),
        groups=groups,
        noisy=tuple(NoisyLine(noise, _line(_heard(models, trials, booth, mel, noise), asked.seed)) for noise in asked.noises),
        mistaken=_mistaken(results, asked) if asked.confusions else {},
        places=confusions.places([each.reference.text for each in results], [each.found for each in results]),
        notes=tuple(_notes(asked, groups)),
        results=tuple(results),
    )


def _heard(
    models: Sequence[Listener], trials: Sequence[Trial], booth: Booth, mel: LogMel, noise: Noise | None = None
) -> list[list[Result]]:
    """The results of each model; every sound is made once for all of them."""
    found, seconds = [list[str]() for _ in models], list[float]()
    for start in range(0, len(trials), BLOCK):
        sounds = [booth.sound(trial, noise) for trial in trials[start : start + BLOCK]]
        for texts, model in zip(found, models, strict=True):
            texts.extend(model.hear(sounds))
        seconds += [seconds_of(sound, mel) for sound in sounds]
    references = [trial.reference for trial in trials]
    return [results_of(references, texts, seconds) for texts in found]


def _chosen(results: Sequence[Sequence[Result]], indices: Sequence[int]) -> list[list[Result]]:
    return [[each[index] for index in indices] for each in results]


def _line(results: Sequence[Sequence[Result]], seed: int) -> Line:
    """The results of one model, or of two to compare."""
    own, *others = results
    return Line(figures_of(own, seed), compare(own, others[0], seed) if others else None)


def _with_pitch(results: Sequence[Result], trials: Sequence[Trial], booth: Booth) -> list[Result]:
    """The pitch of each voice, from a few of its recordings; who has no name may be several people, so each recording counts alone."""
    by_voice: dict[str, list[int]] = {}
    for index, trial in enumerate(trials):
        by_voice.setdefault(trial.reference.speaker or f"alone: {index}", []).append(index)
    found = list(results)
    for indices in by_voice.values():
        sounds = [sound for index in indices[:PITCH_UTTERANCES] if isinstance(sound := booth.sound(trials[index]), Samples)]
        pitch = median_pitch([sound.values for sound in sounds], sounds[0].rate) if sounds else None
        for index in indices:
            found[index] = replace(found[index], pitch=pitch)
    return found


def _mistaken(results: Sequence[Result], asked: Questions) -> dict[str, Confusions]:
    said, found = [each.reference.text for each in results], [each.found for each in results]
    most = asked.confusions
    mistaken = {"characters": confusions.of_characters(said, found, most), "words": confusions.of_words(said, found, most)}
    if asked.pronounce:
        mistaken["phones"] = confusions.of_words(_spoken(results, asked.pronounce), _phones(found, asked.pronounce), most)
    return mistaken


def _spoken(results: Sequence[Result], pronounce: Pronounce) -> list[str]:
    """The phones of what was said, asked for where they are not known."""
    unknown = [index for index, each in enumerate(results) if not each.reference.phones]
    phones = [each.reference.phones for each in results]
    for index, spoken in zip(unknown, _phones([results[index].reference.text for index in unknown], pronounce), strict=True):
        phones[index] = spoken
    return phones


def _phones(texts: Sequence[str], pronounce: Pronounce) -> list[str]:
    """Nothing said has no phones, and nobody needs to be asked."""
    asked = [text for text in texts if text]
    spoken = iter(pronounce(asked) if asked else ())
    return [next(spoken) if text else "" for text in texts]


def _notes(asked: Questions, groups: Mapping[str, Any]) -> Iterator[str]:
    yield "Intervals hold 95 % of the draws of as many voices; those of few voices are too narrow, one voice has none."
    if asked.noises:
        yield "Noise: dB of the speech while somebody speaks over the noise throughout; babble is other voices of this evaluation."
    if "pitch" in groups:
        yield PITCH_NOTE


def _plain(line: Line) -> dict[str, Any]:
    return asdict(line.figures) | ({"difference": asdict(line.difference)} if line.difference else {})


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, DIGITS)
        case dict():
            return {name: _rounded(item) for name, item in value.items()}
        case list() | tuple():
            return [_rounded(item) for item in value]
    return value
