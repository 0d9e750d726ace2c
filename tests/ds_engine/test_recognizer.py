from __future__ import annotations

from pathlib import Path

from ds_engine.acoustic import RuntimeOptions
from ds_engine.bundle import Bundle
from ds_engine.decoder import DecoderContext
from ds_engine.greedy import GreedyDecoder
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from tests.ds_engine import bundles


def test_loading_makes_the_decoder_from_the_models_alphabet_timing_and_bundle(tmp_path: Path) -> None:
    bundle = Bundle.open(bundles.write(tmp_path / "toy"))
    seen: list[DecoderContext] = []

    def factory(context: DecoderContext) -> GreedyDecoder:
        seen.append(context)
        return GreedyDecoder.make(context)

    recognizer = Recognizer.load(bundle, NativeModel, factory, RuntimeOptions())
    assert (recognizer.name, recognizer.language) == ("toy 1", "en")
    assert seen == [DecoderContext(bundle.manifest.alphabet, recognizer.model.timing, bundle)]
