"""The endpoint as a function: evidence that a test writes down in, what happened out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_engine.decoder import Attention, Sentence
from ds_engine.endpoint import PRESETS, EndpointSettings, EndpointState, Evidence, endpoint, preset
from ds_engine.errors import InputError
from ds_engine.limits import Limits
from ds_engine.transcript import EndReason, SpeechEnded, SpeechStarted
from tests.project import ROOT

FRAME = 0.032  # s
STEP = 0.16  # s between two looks of the decoder
LAG = 0.25  # s by which it trails
NORMAL = PRESETS["normal"]
EVERY_PRESET = pytest.mark.parametrize("settings", PRESETS.values(), ids=list(PRESETS))

Events = list[SpeechStarted | SpeechEnded]


@dataclass(frozen=True)
class Scene:
    """What is spoken, in seconds [start, end), and who listens."""

    spoken: Sequence[tuple[float, float]]
    seconds: float = 8.0
    detector: bool = True
    decoder: bool = True
    sentence: Sentence = Sentence.UNKNOWN  # once the last word has been heard; before, INCOMPLETE where this is not UNKNOWN
    lag: float = LAG
    letters: Sequence[tuple[float, float]] | None = None  # what the decoder hears, where that is something else

    def evidence(self) -> Iterator[Evidence]:
        for number in range(1, round(self.seconds / FRAME) + 1):
            time = number * FRAME
            heard = max(0.0, STEP * math.floor(time / STEP) - self.lag)
            voice = float(any(start < time - FRAME / 2 < end for start, end in self.spoken)) if self.detector else None
            yield Evidence(time, voice, self._attention(heard) if self.decoder else None, heard)

    def _attention(self, heard: float) -> Attention:
        letters = self.spoken if self.letters is None else self.letters
        ends = [min(end, heard) for start, end in letters if start < heard]
        whole = len(ends) == len(letters) and all(end < heard for end in ends)
        sentence = self.sentence if whole or self.sentence is Sentence.UNKNOWN else Sentence.INCOMPLETE
        return Attention(len(ends), heard - max(ends, default=0.0), sentence)


def events(settings: EndpointSettings, evidence: Iterator[Evidence]) -> Events:
    state, happened = EndpointState(), []
    for moment in evidence:
        state, event = endpoint(settings, state, moment)
        if event is not None:
            happened.append(event)
    return happened


def ended(settings: EndpointSettings, scene: Scene) -> SpeechEnded:
    started, end = events(settings, scene.evidence())
    assert isinstance(started, SpeechStarted)
    assert isinstance(end, SpeechEnded)
    return end


LISTENERS = pytest.mark.parametrize(
    ("detector", "decoder", "late"), [(True, False, 0.0), (False, True, LAG + STEP), (True, True, 0.0)], ids=["detector", "decoder", "both"]
)


@EVERY_PRESET
@LISTENERS
def test_speech_ends_after_the_silence_of_the_preset(settings: EndpointSettings, detector: bool, decoder: bool, late: float) -> None:  # noqa: FBT001
    end = ended(settings, Scene([(1.0, 2.0)], detector=detector, decoder=decoder))
    assert end.reason is EndReason.SILENCE
    assert end.time == pytest.approx(2.0, abs=FRAME)
    assert settings.silence <= end.noticed - end.time <= settings.silence + late + 2 * FRAME


@EVERY_PRESET
@LISTENERS
@pytest.mark.parametrize("sentence", Sentence)
def test_three_pauses_of_150_ms_do_not_cut_a_command(
    settings: EndpointSettings,
    detector: bool,  # noqa: FBT001
    decoder: bool,  # noqa: FBT001
    late: float,
    sentence: Sentence,
) -> None:
    spoken = [(0.5, 1.0), (1.15, 1.6), (1.75, 2.0), (2.15, 2.6)]
    assert ended(settings, Scene(spoken, detector=detector, decoder=decoder, sentence=sentence)).time == pytest.approx(2.6, abs=FRAME)


@EVERY_PRESET
@LISTENERS
def test_silence_does_not_add_up(settings: EndpointSettings, detector: bool, decoder: bool, late: float) -> None:  # noqa: FBT001
    pause = settings.silence * 0.8
    spoken = [(start, start + 0.3) for start in (0.5 + number * (0.3 + pause) for number in range(5))]
    end = ended(settings, Scene(spoken, seconds=20, detector=detector, decoder=decoder))
    assert end.time == pytest.approx(spoken[-1][1], abs=FRAME)


@EVERY_PRESET
def test_a_whole_sentence_ends_sooner_than_silence_and_half_a_sentence_later(settings: EndpointSettings) -> None:
    order = (Sentence.FINISHED, Sentence.COMPLETE, Sentence.UNKNOWN, Sentence.INCOMPLETE)
    found = [ended(settings, Scene([(1.0, 2.0)], sentence=sentence, lag=0.0)) for sentence in order]
    noticed = [end.noticed for end in found]
    assert noticed == sorted(set(noticed))
    assert [end.reason for end in found] == [EndReason.COMPLETE] * 2 + [EndReason.SILENCE] * 2


def test_a_sentence_that_was_whole_before_the_speaker_went_on_is_not_the_end() -> None:
    """The decoder still shows a whole sentence when the detector hears more voice already."""
    spoken = [(1.0, 2.0), (2.25, 2.6)]
    scene = Scene(spoken, sentence=Sentence.FINISHED, letters=[(1.0, 2.0)], lag=0.1)
    assert ended(replace(NORMAL, finished=0.3), scene).time == pytest.approx(2.6, abs=FRAME)


@pytest.mark.parametrize("lag", [0.1, 0.5, 1.5])
def test_the_end_waits_until_the_decoder_has_heard_all_of_the_voice(lag: float) -> None:
    end = ended(NORMAL, Scene([(1.0, 2.0)], sentence=Sentence.FINISHED, lag=lag))
    assert 2.0 + max(lag, NORMAL.finished) - FRAME <= end.noticed <= 2.0 + max(lag, NORMAL.finished) + STEP + 2 * FRAME


def test_a_sentence_is_no_end_while_there_is_voice_that_the_decoder_has_not_heard() -> None:
    end = ended(NORMAL, Scene([(1.0, 2.3)], letters=[(1.0, 1.9)], sentence=Sentence.FINISHED, lag=0.6))
    assert end.reason is EndReason.COMPLETE
    assert end.noticed >= 2.3 + 0.6 - FRAME


def test_speech_starts_where_its_voice_began() -> None:
    [started] = events(NORMAL, Scene([(1.0, 2.0)], seconds=1.5).evidence())
    assert isinstance(started, SpeechStarted)
    assert started.time == pytest.approx(1.0, abs=FRAME)


def test_a_click_is_no_speech_and_does_not_prolong_a_silence() -> None:
    click = NORMAL.onset - FRAME
    assert events(NORMAL, Scene([(1.0, 1.0 + click)], seconds=4, letters=[]).evidence()) == []
    end = ended(NORMAL, Scene([(1.0, 2.0), (2.3, 2.3 + click)], letters=[(1.0, 2.0)]))
    assert end.time == pytest.approx(2.0, abs=FRAME)
    assert end.noticed <= 2.0 + NORMAL.silence + 3 * FRAME


def test_letters_that_the_decoder_still_hears_are_no_silence() -> None:
    end = ended(NORMAL, Scene([(1.0, 2.0)], letters=[(1.0, 2.4)]))
    assert end.time == pytest.approx(2.4)
    assert end.noticed >= 2.4 + NORMAL.silence


@EVERY_PRESET
@LISTENERS
def test_where_nobody_speaks_that_is_the_reason(settings: EndpointSettings, detector: bool, decoder: bool, late: float) -> None:  # noqa: FBT001
    [end] = events(settings, Scene([], seconds=12, detector=detector, decoder=decoder).evidence())
    assert isinstance(end, SpeechEnded)
    assert (end.reason, end.time) == (EndReason.NOTHING_SAID, 0.0)
    assert settings.nothing_said <= end.noticed <= settings.nothing_said + late + FRAME


def test_voice_without_a_word_is_waited_out_as_if_nothing_had_been_said() -> None:
    cough = Scene([(1.0, 1.4)], letters=[])
    end = ended(NORMAL, cough)
    assert end.reason is EndReason.NOTHING_SAID
    assert end.noticed == pytest.approx(NORMAL.nothing_said, abs=FRAME)
    end = ended(NORMAL, Scene([(1.0, 1.4), (3.0, 4.0)], letters=[(3.0, 4.0)]))
    assert end.reason is EndReason.SILENCE
    assert end.time == pytest.approx(4.0, abs=FRAME)


def test_nobody_is_interrupted_for_having_said_nothing_before() -> None:
    late = NORMAL.nothing_said - 0.3
    end = ended(NORMAL, Scene([(late, late + 1.5)], seconds=10, letters=[(late + 1.0, late + 1.5)]))
    assert end.reason is EndReason.SILENCE
    assert end.time == pytest.approx(late + 1.5, abs=FRAME)


def test_letters_in_noise_are_no_speech_unless_nobody_else_listens() -> None:
    noise = Scene([], letters=[(1.0, 1.2)])
    [end] = events(NORMAL, noise.evidence())
    assert isinstance(end, SpeechEnded)
    assert end.reason is EndReason.NOTHING_SAID
    assert ended(NORMAL, replace(noise, detector=False)).reason is EndReason.SILENCE
    assert ended(NORMAL, replace(noise, spoken=[(2.0, 2.5)])).reason is EndReason.NOTHING_SAID  # a cough after them changes nothing


@EVERY_PRESET
@LISTENERS
def test_who_never_stops_is_stopped(settings: EndpointSettings, detector: bool, decoder: bool, late: float) -> None:  # noqa: FBT001
    end = ended(settings, Scene([(0.5, 70.0)], seconds=65, detector=detector, decoder=decoder))
    assert end.reason is EndReason.TOO_LONG
    assert end.noticed == pytest.approx(settings.longest, abs=FRAME)


def test_what_is_infinite_never_happens() -> None:
    never = EndpointSettings(silence=math.inf, incomplete=math.inf, nothing_said=math.inf, longest=math.inf)
    assert events(never, Scene([], seconds=60).evidence()) == []
    assert len(events(never, Scene([(1.0, 2.0)], seconds=60).evidence())) == 1


def test_a_detector_that_goes_away_leaves_the_decision_to_the_decoder() -> None:
    scene = Scene([(1.0, 2.0)])
    evidence = [replace(moment, voice=moment.voice if moment.time < 1.5 else None) for moment in scene.evidence()]
    started, end = events(NORMAL, iter(evidence))
    assert isinstance(end, SpeechEnded)
    assert end.reason is EndReason.SILENCE
    assert end.time == pytest.approx(2.0)
    assert isinstance(started, SpeechStarted)


def test_voice_that_has_begun_may_get_fainter() -> None:
    loud, faint = NORMAL.voice + 0.05, NORMAL.voice - 0.1
    evidence = [Evidence((number + 1) * FRAME, loud if number < 10 else faint) for number in range(60)]
    assert len(events(NORMAL, iter(evidence))) == 1
    assert events(NORMAL, (replace(moment, voice=faint) for moment in evidence)) == []


probabilities = st.one_of(st.none(), st.floats(0, 1))
attentions = st.one_of(st.none(), st.builds(Attention, st.integers(0, 3), st.floats(0, 9), st.sampled_from(Sentence)))


@settings(max_examples=200, deadline=None)
@given(heard=st.lists(st.tuples(probabilities, attentions, st.floats(0, 2)), max_size=150), name=st.sampled_from(list(PRESETS)))
def test_whatever_is_heard_speech_starts_and_ends_at_most_once(
    heard: list[tuple[float | None, Attention | None, float]], name: str
) -> None:
    times = [(number + 1) * STEP for number in range(len(heard))]
    evidence = [Evidence(time, voice, attention, max(0.0, time - lag)) for time, (voice, attention, lag) in zip(times, heard, strict=True)]
    happened = events(PRESETS[name], iter(evidence))
    assert happened == events(PRESETS[name], iter(evidence))
    ends = [event for event in happened if isinstance(event, SpeechEnded)]
    assert len(happened) <= 2
    assert ends in ([], happened[-1:])
    assert all(0 <= end.time <= end.noticed <= max(PRESETS[name].longest, STEP) + STEP for end in ends)
    if times and times[-1] >= PRESETS[name].longest:
        assert ends


@pytest.mark.parametrize("name", [setting.name for setting in fields(EndpointSettings)])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, "1", None])
def test_a_setting_that_is_no_time_is_an_error_with_its_name(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"endpoint: {name} must be above zero, got"):
        EndpointSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("times", [{"finished": 0.7}, {"complete": 1.0}, {"silence": 1.6}, {"incomplete": 0.8}])
def test_silences_out_of_their_order_are_an_error(times: dict[str, float]) -> None:
    with pytest.raises(InputError, match="finished, complete, silence and incomplete"):
        EndpointSettings(**times)


def test_a_probability_above_one_is_an_error() -> None:
    with pytest.raises(InputError, match=r"voice must lie between 0 and 1, got 1\.0"):
        EndpointSettings(voice=1.0)


def test_a_preset_has_a_name() -> None:
    assert preset("quick") is PRESETS["quick"]
    with pytest.raises(InputError, match="'hasty' is unknown; known are: quick, normal, patient"):
        preset("hasty")


def test_presets_get_more_patient_in_every_time() -> None:
    for setting in fields(EndpointSettings):
        times = [getattr(PRESETS[name], setting.name) for name in ("quick", "normal", "patient")]
        assert times == sorted(times)


def test_a_preset_ends_an_utterance_before_the_limits_do() -> None:
    assert all(each.longest < Limits().utterance_seconds for each in PRESETS.values())


def test_the_table_of_presets_is_the_code() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", (ROOT / "docs/reference/endpointing.md").read_text(), re.MULTILINE
    )
    table = {name: tuple(float(value) for value in values) for name, *values in rows}
    code = {setting.name: tuple(float(getattr(each, setting.name)) for each in PRESETS.values()) for setting in fields(EndpointSettings)}
    assert table == code
    assert list(PRESETS) == ["quick", "normal", "patient"]
