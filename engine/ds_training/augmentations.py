"""The table of augmentations: what each one does, how often and how much, as data; a mapping of parsed TOML in, checked settings out.

They stand in the order in which an utterance meets them: as it is spoken, in its room, through its device, and at last what happens
to features alone. augment.py applies them; docs/reference/augmentation.md describes each setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self

from ds_training.augment_settings import Chance, Range, Settings, Within, hints, known

Decibels = Annotated[Range, Within(-100, 100, "dB")]
Hertz = Within(0, 100_000, "Hz")
Points = Annotated[int, Within(1, 20, "in between", whole=True)]
Shift = Annotated[Range, Within(-0.45, 0.45, "of the distance between points")]  # below a half, so that points never overtake each other
Masks = Annotated[int, Within(1, 100, "masks", whole=True)]


@dataclass(frozen=True, slots=True)
class Style(Settings):
    """Mean and standard deviation of every band's log power are mixed with those of another utterance: speaker, room and device at once.

    MixStyle over the bands of a spectrogram (Zhou et al. 2021, Kim et al. 2022).
    """

    share: Annotated[Range, Within(0, 1, "of the other's")] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Tempo(Settings):
    """Speech is slower or faster. What is faster than `fastest` is always slowed down to it: synthesisers gabble."""

    chance: Chance = (0.83, 0.83)
    speed: Annotated[Range, Within(0.1, 10, "times")] = (0.82, 1.16)
    fastest: Annotated[float, Within(1, 100, "symbols per second")] = 15.0  # CTC needs a step for each


@dataclass(frozen=True, slots=True)
class TimeWarp(Settings):
    """Points spread over an utterance come earlier or later, all between them is stretched (SpecAugment, Park et al. 2019)."""

    points: Points = 1
    shift: Shift = (-0.3, 0.3)


@dataclass(frozen=True, slots=True)
class Tract(Settings):
    """The length of the vocal tract: formants and harmonics move along the bands."""

    chance: Chance = (0.7, 0.7)
    length: Annotated[Range, Within(0.5, 2, "times")] = (0.82, 1.18)


@dataclass(frozen=True, slots=True)
class BandWarp(Settings):
    """Points spread over the bands move up or down, all between them is stretched: another shape of the vocal tract."""

    points: Points = 2
    shift: Shift = (-0.15, 0.15)


@dataclass(frozen=True, slots=True)
class Silence(Settings):
    """The room before and after the speech, and always some digital silence at the end, since the network looks ahead."""

    chance: Chance = (1.0, 1.0)
    before: Annotated[Range, Within(0, 60, "s")] = (0.0, 0.4)
    after: Annotated[Range, Within(0, 60, "s")] = (0.0, 0.25)
    end: Annotated[Range, Within(0, 60, "s")] = (0.26, 0.4)  # digital; at least the network's look-ahead


@dataclass(frozen=True, slots=True)
class Reverb(Settings):
    """A room: an exponential tail behind every sound, shorter for high bands."""

    chance: Chance = (0.0, 0.6)
    seconds: Annotated[Range, Within(0.01, 60, "s")] = (0.12, 0.9)  # to -60 dB
    tail: Annotated[Range, Within(0.001, 1000, "of the power of the sound itself")] = (0.3, 5.0)


@dataclass(frozen=True, slots=True)
class Noise(Settings):
    """Made noise of a random colour that swells and ebbs."""

    chance: Chance = (0.0, 0.49)
    signal_to_noise: Decibels = (2.0, 30.0)


@dataclass(frozen=True, slots=True)
class Babble(Settings):
    """Other people at once."""

    chance: Chance = (0.0, 0.26)
    signal_to_noise: Decibels = (2.0, 30.0)
    voices: Annotated[Range, Within(1, 100, "at once", whole=True)] = (1, 4)


@dataclass(frozen=True, slots=True)
class Overlay(Settings):
    """Recorded noises, which the augmenter was given."""

    signal_to_noise: Decibels = (2.0, 30.0)
    layers: Annotated[Range, Within(1, 100, "at once", whole=True)] = (1, 1)


@dataclass(frozen=True, slots=True)
class Microphone(Settings):
    """A curve over the bands: a tilt, and a random walk."""

    chance: Chance = (0.0, 0.6)
    tilt: Decibels = (-8.7, 8.7)  # gain at either end of the bands
    walk: Annotated[float, Within(0, 20, "dB")] = 0.52  # standard deviation of a step from one band to the next


@dataclass(frozen=True, slots=True)
class Telephone(Settings):
    """An old line: little below and above its band."""

    chance: Chance = (0.0, 0.06)
    low: Annotated[float, Hertz] = 230.0
    high: Annotated[float, Hertz] = 4050.0
    depth: Annotated[float, Within(0, 200, "dB")] = 39.0


@dataclass(frozen=True, slots=True)
class Loudness(Settings):
    """The level of the recording; without it, it stays what it was."""

    chance: Chance = (1.0, 1.0)
    peak: Annotated[Range, Within(-200, 20, "dBFS")] = (-40.0, 0.0)


@dataclass(frozen=True, slots=True)
class Hiss(Settings):
    """The recorder's own noise, whatever the loudness of the speech."""

    chance: Chance = (0.85, 0.85)
    level: Annotated[Range, Within(-200, 0, "dB")] = (-100.0, -70.0)  # below the loudest frame of speech that peaks at full scale


@dataclass(frozen=True, slots=True)
class Resample(Settings):
    """A lower sample rate on the way: nothing is left above its cut-off."""

    cut_off: Annotated[Range, Hertz] = (2500.0, 7000.0)


@dataclass(frozen=True, slots=True)
class Codec(Settings):
    """Lossy coding: levels waver, the more where louder sounds nearby mask them, and there are holes; above its cut-off is nothing."""

    waver: Annotated[Range, Within(0, 40, "dB")] = (1.5, 4.0)  # standard deviation: MP3 at 28 kbit/s to Opus at 12
    holes: Annotated[Range, Within(0, 1, "of the masked cells")] = (0.0, 0.05)  # Opus, to Vorbis at 32 kbit/s
    cut_off: Annotated[Range, Hertz] = (4000.0, 8000.0)


@dataclass(frozen=True, slots=True)
class BandMasks(Settings):
    """Neighbouring bands blotted out with the mean of the utterance, each mask by its own chance (SpecAugment)."""

    chance: Chance = (0.0, 0.5)
    count: Masks = 2
    bands: Annotated[Range, Within(0, 1000, "side by side", whole=True)] = (0, 11)


@dataclass(frozen=True, slots=True)
class TimeMasks(Settings):
    """Moments blotted out with the mean of the utterance, each mask by its own chance (SpecAugment)."""

    chance: Chance = (0.0, 0.5)
    count: Masks = 2
    seconds: Annotated[Range, Within(0, 60, "s")] = (0.0, 0.17)


@dataclass(frozen=True, slots=True)
class Dropout(Settings):
    """Single cells blotted out with the mean of the utterance."""

    share: Annotated[Range, Within(0, 1, "of the cells")] = (0.0, 0.1)


@dataclass(frozen=True, slots=True)
class Multiply(Settings):
    """Every feature times a random number around one."""

    deviation: Annotated[Range, Within(0, 100, "around 1")] = (0.0, 0.1)  # standard deviation


@dataclass(frozen=True, slots=True)
class Add(Settings):
    """A random number around zero added to every feature."""

    deviation: Annotated[Range, Within(0, 100, "around 0")] = (0.0, 0.2)  # standard deviation


@dataclass(frozen=True, slots=True)
class Augmentation:
    """All of them, in order. The defaults are those of the first bundle; what it did without has the chance 0."""

    style: Style = Style()
    tempo: Tempo = Tempo()
    time_warp: TimeWarp = TimeWarp()
    tract: Tract = Tract()
    band_warp: BandWarp = BandWarp()
    silence: Silence = Silence()
    reverb: Reverb = Reverb()
    noise: Noise = Noise()
    babble: Babble = Babble()
    overlay: Overlay = Overlay()
    microphone: Microphone = Microphone()
    telephone: Telephone = Telephone()
    loudness: Loudness = Loudness()
    hiss: Hiss = Hiss()
    resample: Resample = Resample()
    codec: Codec = Codec()
    band_masks: BandMasks = BandMasks()
    time_masks: TimeMasks = TimeMasks()
    dropout: Dropout = Dropout()
    multiply: Multiply = Multiply()
    add: Add = Add()

    @classmethod
    def of(cls, mapping: Mapping[str, Any]) -> Self:
        """From parsed TOML or JSON, a table for each; what is not given has its default. Raises AugmentationError that names the key."""
        kinds = hints(cls)
        return cls(**{name: kinds[name].of(table) for name, table in known(mapping, kinds, "augmentation").items()})

    def to_json(self) -> dict[str, dict[str, Any]]:
        """What `of` reads."""
        return asdict(self)
