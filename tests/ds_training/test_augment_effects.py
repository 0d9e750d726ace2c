"""Every augmentation does what it says, measurably: one of them at a time, everything else without a chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ds_engine.features import FloatArray, LogMel, LogMelSpec
from ds_training.augment import Augmentation, Augmenter
from ds_training.augment_dice import Doubles
from ds_training.augment_settings import hints
from ds_training.corpus import HalfArray

MEL = LogMel(LogMelSpec())
NOTHING: dict[str, dict[str, Any]] = {name: {"chance": 0} for name in hints(Augmentation)}
HERTZ = 700 * np.expm1(np.linspace(np.log1p(20 / 700), np.log1p(7600 / 700), 82))[1:-1]  # of the middles of the bands
FLAT = np.zeros((100, 80), np.float16)
SILENCE = float(MEL.normalise(np.zeros(1, np.float32))[0])


def speech(frames: int, seed: int = 5) -> HalfArray:
    return np.random.default_rng(seed).normal(0, 1, (frames, 80)).astype(np.float16)


def only(
    items: Sequence[HalfArray],
    *,
    symbols: int = 1,
    people: Sequence[HalfArray] = (),
    noises: Sequence[HalfArray] = (),
    seed: int = 1,
    **tables: dict[str, Any],
) -> list[FloatArray]:
    """Features [frames, bands] of each utterance after these alone, each with the chance 1; its digital silence cut off."""
    settings = {**NOTHING, "silence": {"chance": 0, "end": 0}, **{name: {"chance": 1, **table} for name, table in tables.items()}}
    augmenter = Augmenter(MEL, Augmentation.of(settings), noises=noises)
    features, frames = augmenter(items, [symbols] * len(items), people, 1.0, np.random.default_rng(seed))
    return [row[:count] for row, count in zip(features, frames, strict=True)]


def log_power(features: FloatArray) -> FloatArray:
    """ln(mel power + floor)."""
    return (features - np.float32(MEL.spec.offset)) / np.float32(MEL.spec.scale)


def power(features: FloatArray) -> Doubles:
    heard: Doubles = np.exp(log_power(features).astype(np.float64))
    return heard - MEL.spec.floor


def decibels(features: FloatArray) -> FloatArray:
    return log_power(features) * np.float32(10 / np.log(10))


def with_peak(frame: int | None = None, band: int | None = None) -> HalfArray:
    """Flat but for one frame or one band, which is 20 nats louder."""
    item = np.full((101, 80), -10, np.float16)
    item[slice(None) if frame is None else frame, slice(None) if band is None else band] = 10
    return item


class TestTheVoice:
    def test_tempo_changes_the_length(self) -> None:
        assert [len(only([speech(200)], tempo={"speed": speed})[0]) for speed in (1.25, 1, 0.8)] == [160, 200, 250]

    def test_tempo_is_drawn_from_its_range(self) -> None:
        lengths = [len(row) for row in only([speech(200)] * 200, tempo={"speed": [0.8, 1.25]})]
        assert 160 <= min(lengths) < 165
        assert 240 < max(lengths) <= 250

    def test_gabbled_speech_is_slowed_to_what_ctc_can_spell_and_no_further(self) -> None:
        assert [len(only([speech(100)], symbols=60, tempo={"speed": 1, "fastest": fastest})[0]) for fastest in (15, 20, 60)] == [
            400,
            300,
            100,
        ]
        assert len(only([speech(100)], symbols=60)[0]) == 400

    def test_time_warp_moves_a_moment_and_keeps_the_ends(self) -> None:
        for shift in (-0.4, 0.2):
            [row] = only([with_peak(frame=50)], time_warp={"shift": shift})
            assert len(row) == 101
            assert row[:, 0].argmax() == pytest.approx(50 + shift * 50, abs=1)
        for end in (0, 100):
            [row] = only([with_peak(frame=end)], time_warp={"points": 3})
            assert row[:, 0].argmax() == end

    def test_a_longer_tract_has_lower_formants(self) -> None:
        for length in (0.8, 1, 1.25):
            [row] = only([with_peak(band=40)], tract={"length": length})
            assert row[7].argmax() == pytest.approx(40 / length, abs=1)

    def test_band_warp_moves_a_formant_and_keeps_the_ends(self) -> None:
        [row] = only([with_peak(band=40)], band_warp={"points": 1, "shift": 0.2})
        assert row[7].argmax() == pytest.approx(39.5 + 0.2 * 39.5, abs=1.5)
        for end in (0, 79):
            [row] = only([with_peak(band=end)], band_warp={})
            assert row[7].argmax() == end

    def test_silence_stands_before_and_after(self) -> None:
        [row] = only([FLAT], silence={"before": 0.3, "after": 0.2, "end": 0.1})
        assert np.flatnonzero(row[:, 0] > SILENCE).tolist() == list(range(30, 130))
        assert len(row) == 160


class TestStyle:
    def test_it_gives_every_band_the_mean_and_deviation_of_the_other(self) -> None:
        one, other = speech(100), (speech(300, 6) * np.linspace(0.5, 1, 80) + np.linspace(-2, 2, 80)).astype(np.float16)
        mixed, back = (log_power(row) for row in only([one, other], style={"share": 1}))
        assert np.allclose(mixed.mean(0), other.mean(0, dtype=np.float32), atol=0.02)
        assert np.allclose(mixed.std(0), other.std(0, dtype=np.float32), atol=0.05)
        assert np.allclose(back.mean(0), one.mean(0, dtype=np.float32), atol=0.02)

    @pytest.mark.parametrize("level", [-4, 4])
    def test_half_a_share_lies_between(self, level: float) -> None:
        half = log_power(only([FLAT, FLAT + np.float16(level)], style={"share": 0.5})[0])
        assert np.allclose(half, level / 2, atol=1e-3)

    def test_what_is_said_stays(self) -> None:
        one = speech(100)
        mixed = log_power(only([one, speech(100, 6) + np.float16(2)], style={"share": 1})[0])
        assert np.corrcoef(mixed[:, 3], one[:, 3].astype(np.float32))[0, 1] > 0.999

    def test_who_is_alone_takes_it_from_the_pool_of_people_if_there_is_one(self) -> None:
        [alone], [beside] = (only([FLAT], people=people, style={"share": 1}) for people in ([], [FLAT + np.float16(3)]))
        assert np.allclose(log_power(alone), 0, atol=1e-4)
        assert np.allclose(log_power(beside), 3, atol=1e-3)


class TestTheRoom:
    def test_tails_fall_by_sixty_decibels_in_their_time(self) -> None:
        click = np.full((200, 80), -20.7, np.float16)
        click[0] = 10
        [row] = only([click], reverb={"seconds": 0.6, "tail": 1})
        fall = decibels(row)[5] - decibels(row)[25]
        assert fall[0] == pytest.approx(60 * 0.2 / (0.6 * 1.1), rel=0.01)
        assert fall[79] == pytest.approx(60 * 0.2 / (0.6 * 0.7), rel=0.01)

    def test_tails_have_their_share_of_the_power(self) -> None:
        click = np.full((200, 80), -20.7, np.float16)
        click[0] = 10
        heard = power(only([click], reverb={"seconds": 0.6, "tail": 2})[0])
        assert heard.sum(0) / np.exp(10) == pytest.approx(3, rel=0.01)

    def test_the_gap_after_speech_is_filled(self) -> None:
        gap = np.concatenate([FLAT, np.full((30, 80), -20.7, np.float16)])
        dry, wet = only([gap])[0], only([gap], reverb={"seconds": 0.5, "tail": 1})[0]
        assert (dry[110:] < SILENCE + 0.01).all()
        assert (decibels(wet[110]) > -30).all()

    def test_tails_go_on_in_the_silence_that_follows_and_end_with_the_recording(self) -> None:
        [row] = only([FLAT], reverb={"seconds": 0.9, "tail": 5}, silence={"before": 0.1, "after": 0.2, "end": 0.1})
        assert (row[:10] == np.float32(SILENCE)).all()
        assert (row[110:130] > SILENCE + 0.5).all()
        assert (row[130:] == np.float32(SILENCE)).all()


class TestOtherSounds:
    @pytest.mark.parametrize("name", ["noise", "babble", "overlay"])
    @pytest.mark.parametrize("ratio", [-5, 10])
    def test_they_reach_the_signal_to_noise_ratio(self, name: str, ratio: float) -> None:
        item, pool = speech(200), [speech(30, 7), speech(90, 8)]
        settings: dict[str, Any] = {name: {"signal_to_noise": ratio}}
        [dry], [noisy] = only([item]), only([item], people=pool, noises=pool, **settings)
        noise = power(noisy) - power(dry)
        assert noise.min() >= -1e-3
        assert 10 * np.log10(power(dry).mean() / noise.mean()) == pytest.approx(ratio, abs=0.05)

    @pytest.mark.parametrize(("name", "number"), [("babble", "voices"), ("overlay", "layers")])
    def test_recordings_are_heard_together_and_begin_again(self, name: str, number: str) -> None:
        pool = [with_peak(band=band) for band in (10, 30)]
        settings: dict[str, Any] = {name: {number: 2, "signal_to_noise": -30}}
        heard = [only([speech(300)], people=pool, noises=pool, seed=seed, **settings)[0] for seed in range(9)]
        loudest = [{int(band) for band in np.flatnonzero(row.mean(0) > row.mean() + 0.5)} for row in heard]
        assert {10, 30} in loudest
        assert all(bands and bands <= {10, 30} for bands in loudest)
        assert all((row[:, sorted(bands)].std(0) < 0.1).all() for row, bands in zip(heard, loudest, strict=True))

    def test_a_short_recording_begins_again_where_it_ends(self) -> None:
        noise = np.tile(np.log([1, 10, 100])[:, None], (1, 80)).astype(np.float16)
        [row] = only([np.full((30, 80), -30, np.float16)], noises=[noise], overlay={"signal_to_noise": -100})
        assert np.allclose(row[3:], row[:-3], atol=1e-3)
        assert np.ptp(row[:3, 0]) > 1

    def test_noise_has_another_colour_each_time(self) -> None:
        one, other = (row.mean(0) for row in only([FLAT, FLAT], noise={"signal_to_noise": -30}))
        assert np.abs(one - other).max() > 0.2

    def test_only_one_of_them_is_heard_where_their_chances_make_up_one(self) -> None:
        items, pool = [np.full((20, 80), -10, np.float16)] * 300, [FLAT]
        chances = {"noise": 0.3, "babble": 0.5, "overlay": 0.2}
        settings: dict[str, Any] = {name: {"chance": chance, "signal_to_noise": 0} for name, chance in chances.items()}
        rows = only(items, people=[with_peak(band=10)], noises=pool, **settings)
        gained = [power(row).mean() / np.exp(-10) for row in rows]
        assert gained == pytest.approx([2] * 300, rel=0.05)
        babble = np.mean([row.mean(0).argmax() == 10 for row in rows])
        assert babble == pytest.approx(0.5, abs=0.1)


class TestDevices:
    def test_a_microphone_is_a_curve_that_stays(self) -> None:
        [dry], [wet] = only([speech(100)]), only([speech(100)], microphone={"tilt": 6, "walk": 0})
        assert np.allclose(decibels(wet) - decibels(dry), 6, atol=0.01)
        [walked] = only([speech(100)], microphone={"tilt": 0, "walk": 1})
        curve = decibels(walked) - decibels(dry)
        assert np.ptp(curve, axis=0).max() < 0.02
        assert np.diff(curve[0]).std() == pytest.approx(1, rel=0.3)

    def test_a_telephone_weakens_what_lies_outside_its_band(self) -> None:
        [row] = only([FLAT], telephone={"low": 300, "high": 3400, "depth": 30})
        inside = (HERTZ >= 300) & (HERTZ <= 3400)
        assert np.allclose(decibels(row)[:, inside], 0, atol=0.01)
        assert np.allclose(decibels(row)[:, ~inside], -30, atol=0.01)

    def test_by_default_a_telephone_takes_eight_low_and_eighteen_high_bands(self) -> None:
        [row] = only([FLAT], telephone={})
        assert np.flatnonzero(decibels(row)[0] > -1).tolist() == list(range(8, 62))

    def test_loud_and_quiet_recordings_are_heard_equally_loud(self) -> None:
        quiet = np.float16(-4)
        one, other = only([speech(100), speech(100) + quiet], loudness={"peak": -20})
        assert np.abs(one - other).max() < 0.01
        [less] = only([speech(100)], loudness={"peak": -30})
        assert np.allclose(decibels(one) - decibels(less), 10, atol=0.1)

    def test_the_level_of_a_recording_is_that_of_its_samples(self) -> None:
        """A made-up vowel that peaks at a tenth of full scale has -20 dBFS already, within what voices differ by."""
        time = np.arange(16_000) / 16_000
        vowel = sum(np.cos(2 * np.pi * 120 * k * time) / k for k in range(1, 40))
        samples = (0.1 * vowel / np.abs(vowel).max()).astype(np.float32)
        item = np.log(MEL.power(samples) + 1e-9).astype(np.float16)
        [dry], [level] = only([item]), only([item], loudness={"peak": -20})
        assert (decibels(level) - decibels(dry)).mean() == pytest.approx(0, abs=8)

    def test_hiss_does_not_depend_on_the_loudness_of_the_speech(self) -> None:
        quiet, loud = (np.full((200, 80), level, np.float16) for level in (-20.7, -12.0))
        silent, spoken = only([quiet, loud], hiss={"level": -60})
        assert 10 * np.log10(power(silent).mean()) == pytest.approx(-60 + 4.19 * 10 / np.log(10), abs=0.3)
        assert power(spoken).mean() - np.exp(-12) == pytest.approx(power(silent).mean(), rel=0.1)

    def test_resampling_empties_the_bands_above_its_cut_off(self) -> None:
        [row] = only([FLAT], resample={"cut_off": 4000})
        assert np.allclose(row[:, HERTZ > 4150], SILENCE)
        assert np.allclose(log_power(row)[:, HERTZ < 3850], 0, atol=1e-4)

    def test_resampling_leaves_no_hiss_above_either(self) -> None:
        [row] = only([FLAT], resample={"cut_off": 4000}, hiss={"level": -30})
        assert np.allclose(row[:, HERTZ > 4150], SILENCE)


class TestCodec:
    def test_levels_waver_as_much_as_asked_for_without_bias(self) -> None:
        [row] = only([FLAT], codec={"waver": 3, "holes": 0, "cut_off": 8000})
        assert decibels(row).std() == pytest.approx(3, rel=0.05)
        assert decibels(row).mean() == pytest.approx(0, abs=0.2)

    def test_errors_of_neighbours_are_alike_by_a_half(self) -> None:
        [row] = only([np.zeros((400, 80), np.float16)], codec={"waver": 3, "holes": 0, "cut_off": 8000})
        for one, other in ((row[1:], row[:-1]), (row[:, 1:], row[:, :-1])):
            assert np.corrcoef(one.ravel(), other.ravel())[0, 1] == pytest.approx(0.5, abs=0.05)
        assert np.corrcoef(row[2:].ravel(), row[:-2].ravel())[0, 1] == pytest.approx(0, abs=0.05)

    def test_levels_waver_more_where_louder_sounds_mask(self) -> None:
        item = np.zeros((400, 80), np.float16)
        item[:, 20:25] = -6  # 26 dB below both neighbours
        [row] = only([item], codec={"waver": 1, "holes": 0, "cut_off": 8000})
        assert decibels(row)[:, 20:25].std(0) == pytest.approx(1.6, rel=0.1)
        assert decibels(row)[:, 40:].std() == pytest.approx(1, rel=0.05)

    def test_holes_are_made_only_where_louder_sounds_mask(self) -> None:
        item = FLAT.copy()
        item[:, 20:25] = -6  # 26 dB below both neighbours
        [row] = only([item], codec={"waver": 0, "holes": 0.3, "cut_off": 8000})
        holes = row < SILENCE + 1e-3
        assert holes[:, 20:25].mean() == pytest.approx(0.3, abs=0.06)
        assert not holes[:, :20].any()
        assert not holes[:, 25:].any()

    def test_nothing_is_left_above_its_cut_off(self) -> None:
        [row] = only([FLAT], codec={"cut_off": 4000})
        assert np.allclose(row[:, HERTZ > 4150], SILENCE)


class TestFeatures:
    def test_a_band_mask_is_as_wide_as_asked_for_and_as_loud_as_the_mean(self) -> None:
        [dry], [row] = only([speech(100)]), only([speech(100)], band_masks={"count": 1, "bands": 6})
        masked = np.flatnonzero((row != dry).any(0))
        assert masked.tolist() == list(range(masked[0], masked[0] + 6))
        assert np.allclose(row[:, masked], dry.mean())

    def test_a_time_mask_is_as_long_as_asked_for_and_as_loud_as_the_mean(self) -> None:
        [dry], [row] = only([speech(100)]), only([speech(100)], time_masks={"count": 1, "seconds": 0.29})
        masked = np.flatnonzero((row != dry).any(1))
        assert masked.tolist() == list(range(masked[0], masked[0] + 29))
        assert np.allclose(row[masked], dry.mean())

    @pytest.mark.parametrize("settings", [{"band_masks": {"bands": 1000}}, {"time_masks": {"seconds": 60}}])
    def test_a_mask_wider_than_the_utterance_covers_it(self, settings: dict[str, Any]) -> None:
        [dry], [row] = only([speech(20)]), only([speech(20)], **settings)
        assert np.allclose(row, dry.mean())

    def test_widths_are_drawn_from_their_whole_range(self) -> None:
        [dry] = only([speech(20)])
        rows = only([speech(20)] * 100, band_masks={"count": 1, "bands": [2, 4]})
        assert {int((row != dry).any(0).sum()) for row in rows} == {2, 3, 4}

    def test_masks_reach_every_place(self) -> None:
        rows = only([speech(20)] * 1500, band_masks={"count": 1, "bands": 1}, time_masks={"count": 1, "seconds": 0.01})
        [dry] = only([speech(20)])
        changed = np.array([row != dry for row in rows])
        assert changed.all(1).any(0).all()
        assert changed.all(2).any(0).all()

    def test_as_many_masks_as_their_count_and_chance(self) -> None:
        """Of 8 masks of one band at the chance 0.5, four on average; some fall on the same band."""
        [dry] = only([speech(8)])
        rows = only([speech(8)] * 300, band_masks={"chance": 0.5, "count": 8, "bands": 1})
        assert np.mean([(row != dry).all(0).sum() for row in rows]) == pytest.approx(3.9, abs=0.25)

    def test_dropout_blots_out_its_share_of_the_cells(self) -> None:
        [dry], [row] = only([speech(200)]), only([speech(200)], dropout={"share": 0.2})
        dropped = row != dry
        assert dropped.mean() == pytest.approx(0.2, abs=0.01)
        assert np.allclose(row[dropped], dry.mean())

    def test_added_numbers_have_their_deviation(self) -> None:
        [dry], [row] = only([speech(200)]), only([speech(200)], add={"deviation": 0.3})
        assert (row - dry).std() == pytest.approx(0.3, rel=0.05)
        assert (row - dry).mean() == pytest.approx(0, abs=0.02)

    def test_factors_have_their_deviation(self) -> None:
        [dry], [row] = only([speech(200)]), only([speech(200)], multiply={"deviation": 0.3})
        assert (row / dry).std() == pytest.approx(0.3, rel=0.05)
        assert (row / dry).mean() == pytest.approx(1, abs=0.02)
