"""From a network to a bundle."""

# ruff: noqa: E402  # without torch the whole module is skipped

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from ds_engine.acoustic import RuntimeOptions
from ds_engine.audio import AudioFormat
from ds_engine.bundle import Bundle
from ds_engine.errors import BundleError
from ds_engine.features import LogMelSpec
from ds_engine.greedy import GreedyDecoder
from ds_engine.lm.counts import count, encode
from ds_engine.lm.estimation import estimate
from ds_engine.native import NativeModel
from ds_engine.recognizer import Recognizer
from ds_engine.search.sources import BUNDLED, of_bundle
from ds_training import bundle_folder, export, language
from ds_training.card_facts import CardError
from ds_training.checkpoint import load_network, save_checkpoint
from ds_training.export import ENGLISH_NOTICE, Identity, write_bundle
from ds_training.exportable import ExportError
from ds_training.model import BlockSpec, Network
from ds_training.onnx_graph import weights_of
from ds_training.weights import WeightFormat
from tests.ds_engine.bundles import EN_SMALL
from tests.ds_engine.fakes import babble, pcm16
from tests.ds_training.exported import FACTS, IDENTITY, TINY, experienced


@pytest.fixture(scope="module")
def network() -> Network:
    return experienced()


@pytest.fixture(scope="module")
def spoken(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a language model and a calibration."""
    folder = tmp_path_factory.mktemp("older") / "bundle"
    write_bundle(network, folder, IDENTITY, "card")
    model = estimate(count(encode([["turn", "on"], ["turn", "off"]]), 2))
    language.install(folder, model, Bundle.open(folder).manifest.alphabet)
    bundle_folder.change(folder, {}, calibration={"search": {"alpha": 0.7}})
    return folder


def test_a_bundle_names_the_size_and_checksum_of_every_other_file(network: Network, tmp_path: Path) -> None:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "the card")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text("utf-8"))
    others = {path.name: path.read_bytes() for path in (tmp_path / "bundle").iterdir() if path.name != "manifest.json"}
    assert set(others) == {"model.onnx", "LICENSE", "MODEL_CARD.md"}
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in others.items()
    }
    assert (manifest["format"], manifest["name"], manifest["family"]) == (1, "en-tiny", "native")
    assert manifest["acoustic"]["look_ahead_frames"] == TINY.look_ahead
    assert manifest["alphabet"]["symbols"] == list(TINY.symbols)


def test_the_manifest_is_written_as_that_of_the_bundled_model(tmp_path: Path) -> None:
    bundled = json.loads((EN_SMALL / "manifest.json").read_text("utf-8"))
    identity = Identity(**{name: bundled[name] for name in ("name", "version", "language", "description", "license")})
    write_bundle(load_network(EN_SMALL / "model.onnx"), tmp_path / "again", identity, "card", keep_language_model=EN_SMALL)
    written = json.loads((tmp_path / "again" / "manifest.json").read_text("utf-8"))
    for values in (bundled, written):
        for name in ("model.onnx", "MODEL_CARD.md"):
            values["files"].pop(name)
    assert written == bundled


@pytest.mark.parametrize("weights", WeightFormat)
def test_the_engine_runs_what_was_exported(network: Network, tmp_path: Path, weights: WeightFormat) -> None:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card", weights=weights)
    bundle = Bundle.open(tmp_path / "bundle")
    assert weights_of(onnx.load_from_string(bundle.read("model.onnx"))) is weights
    recognizer = Recognizer.load(bundle, NativeModel, GreedyDecoder.make, RuntimeOptions())
    stream = recognizer.stream(AudioFormat())
    stream.feed(pcm16(babble(0.7)))
    assert stream.finish().transcript.audio_seconds == pytest.approx(0.7)


@pytest.mark.parametrize("weights", WeightFormat)
def test_weights_come_back_from_the_bundle_as_they_went_in(network: Network, tmp_path: Path, weights: WeightFormat) -> None:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card", weights=weights)
    again = load_network(tmp_path / "bundle" / "model.onnx")
    for (name, value), other in zip(network.state_dict().items(), again.state_dict().values(), strict=True):
        if value.is_floating_point():
            assert torch.allclose(value, other, rtol=0.02, atol=0.02), name


def test_an_alphabet_without_spaces_gets_its_own_rule(tmp_path: Path) -> None:
    spec = replace(TINY, symbols=("<blank>", "あ", "い"))
    write_bundle(Network(spec).eval(), tmp_path / "bundle", replace(IDENTITY, language="ja"), "card", notice="free")
    alphabet = Bundle.open(tmp_path / "bundle").manifest.alphabet
    assert alphabet.text([1, 2, 1]) == "あいあ"
    assert alphabet.separator is None


def test_the_english_notice_is_that_of_the_bundled_model(network: Network, tmp_path: Path) -> None:
    write_bundle(network, tmp_path / "bundle", replace(IDENTITY, language="en-GB"), "card")
    assert (tmp_path / "bundle" / "LICENSE").read_bytes() == (EN_SMALL / "LICENSE").read_bytes() == ENGLISH_NOTICE.read_bytes()


def test_a_notice_of_ones_own_is_written_as_it_is(network: Network, tmp_path: Path) -> None:
    write_bundle(network, tmp_path / "bundle", replace(IDENTITY, language="de"), "card", notice="frei für alle\n")
    assert (tmp_path / "bundle" / "LICENSE").read_text("utf-8") == "frei für alle\n"


@pytest.mark.parametrize("language", ["de", "", "eng-like", "x-en"])
def test_another_language_needs_its_own_notice(network: Network, tmp_path: Path, language: str) -> None:
    with pytest.raises(ExportError, match="needs its own licence notice"):
        write_bundle(network, tmp_path / "bundle", replace(IDENTITY, language=language), "card")
    assert not (tmp_path / "bundle").exists()


def test_several_notices_follow_one_another_and_one_alone_is_unchanged(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("ours\n", "utf-8")
    assert export.notices([tmp_path / "ours"]) == "ours\n"
    assert export.notices([tmp_path / "ours", ENGLISH_NOTICE]) == "ours\n\n" + ENGLISH_NOTICE.read_text("utf-8")


def test_a_language_model_is_kept_with_its_calibration(network: Network, spoken: Path, tmp_path: Path) -> None:
    write_bundle(network, tmp_path / "newer", IDENTITY, "card", keep_language_model=spoken)
    bundle, older = Bundle.open(tmp_path / "newer"), Bundle.open(spoken)
    assert bundle.read(BUNDLED) == older.read(BUNDLED)
    assert bundle.manifest.files[BUNDLED] == older.manifest.files[BUNDLED]
    assert bundle.manifest.calibration.values == {"search": {"alpha": 0.7}}
    source = of_bundle(bundle)
    assert source is not None
    assert {"turn", "on", "off"} <= set(source.words)


def test_a_bundle_that_is_exported_over_itself_may_keep_its_own(network: Network, spoken: Path) -> None:
    before = Bundle.open(spoken).read(BUNDLED)
    write_bundle(network, spoken, replace(IDENTITY, version="2"), "card", keep_language_model=spoken)
    assert Bundle.open(spoken).manifest.version == "2"
    assert Bundle.open(spoken).read(BUNDLED) == before


def test_without_being_told_a_language_model_is_not_kept(network: Network, spoken: Path, tmp_path: Path) -> None:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card", keep_language_model=spoken)
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card")
    assert set(Bundle.open(tmp_path / "bundle").manifest.files) == {"model.onnx", "LICENSE", "MODEL_CARD.md"}


def test_a_language_model_for_another_alphabet_or_none_is_not_kept(network: Network, spoken: Path, tmp_path: Path) -> None:
    write_bundle(network, tmp_path / "bare", IDENTITY, "card")
    other = Network(replace(TINY, symbols=("<blank>", " ", "a"))).eval()
    with pytest.raises(ExportError, match="has no language model to keep"):
        write_bundle(network, tmp_path / "bundle", IDENTITY, "card", keep_language_model=tmp_path / "bare")
    with pytest.raises(ExportError, match="the network needs"):
        write_bundle(other, tmp_path / "bundle", IDENTITY, "card", keep_language_model=spoken)
    with pytest.raises(BundleError, match="nowhere"):
        write_bundle(network, tmp_path / "bundle", IDENTITY, "card", keep_language_model=tmp_path / "nowhere")
    assert not (tmp_path / "bundle").exists()


def test_nothing_is_written_for_a_network_that_is_refused(network: Network, tmp_path: Path) -> None:
    broken = Network(TINY)
    broken.load_state_dict(network.state_dict())
    with torch.no_grad():
        broken.head.bias[0] = float("nan")
    far = replace(TINY, blocks=(*TINY.blocks, BlockSpec(10, 10, 11, 1, 10)))
    uneven = replace(TINY, blocks=(BlockSpec(80, 12, 5, 3, 1),))
    for wrong, told in ((broken, "infinity in head.bias"), (Network(far), "a look-ahead needs at most"), (Network(uneven), "stride of 3")):
        with pytest.raises(ExportError, match=told):
            write_bundle(wrong, tmp_path / "bundle", IDENTITY, "card")
    assert not list(tmp_path.iterdir())


def test_the_card_of_facts_tells_the_sizes_of_what_is_written(network: Network, tmp_path: Path) -> None:
    facts = replace(FACTS, name="en-tiny", version="0.0.1")
    write_bundle(network, tmp_path / "bundle", IDENTITY, facts, weights=WeightFormat.INT8)
    card = (tmp_path / "bundle" / "MODEL_CARD.md").read_text("utf-8")
    assert "| 0.01 million | int8 | 0.0 MB | 40 ms | 160 ms | 70 ms |" in card
    with pytest.raises(CardError, match=r"about en-tiny 0\.0\.1, the bundle is en-tiny 2"):
        write_bundle(network, tmp_path / "bundle", replace(IDENTITY, version="2"), facts)


def test_a_checkpoint_gives_the_network_back(network: Network, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c.pt", {"spec": TINY.to_json(), "weights": network.state_dict()})
    again = load_network(tmp_path / "c.pt")
    assert all(torch.equal(one, other) for one, other in zip(network.state_dict().values(), again.state_dict().values(), strict=True))


def test_the_front_end_of_the_manifest_is_that_of_training(network: Network, tmp_path: Path) -> None:
    write_bundle(network, tmp_path / "bundle", IDENTITY, "card")
    acoustic = json.loads((tmp_path / "bundle" / "manifest.json").read_text("utf-8"))["acoustic"]
    spec = LogMelSpec()
    assert acoustic["sample_rate"] == spec.sample_rate
    assert {name: acoustic["features"][name] for name in ("window", "hop", "bands")} == {"window": 400, "hop": 160, "bands": 80}
    assert np.isclose(acoustic["features"]["floor"], spec.floor)


def test_the_command_line_of_today_still_exports(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / "c.pt", {"spec": TINY.to_json(), "weights": network.state_dict()})
    (tmp_path / "CARD.md").write_text("# the card ä\n", "utf-8")
    options = ["--name", "en-tiny", "--version", "9", "--description", "small", "--card", str(tmp_path / "CARD.md")]
    monkeypatch.setattr(sys, "argv", ["export", str(tmp_path / "c.pt"), str(tmp_path / "out"), *options])
    export.main()
    assert "agree within" in capsys.readouterr().out
    bundle = Bundle.open(tmp_path / "out")
    assert (bundle.manifest.name, bundle.manifest.version, bundle.manifest.license) == ("en-tiny", "9", "CC-BY-4.0")
    assert bundle.read("MODEL_CARD.md").decode() == "# the card ä\n"


def test_the_command_line_takes_weights_notices_and_a_language_model(
    network: Network, spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "NOTICE").write_text("ours\n", "utf-8")
    (tmp_path / "CARD.md").write_text("card", "utf-8")
    options = ["--name", "en-tiny", "--description", "small", "--card", str(tmp_path / "CARD.md"), "--weights", "int8"]
    options += [
        "--license-file",
        str(tmp_path / "NOTICE"),
        "--license-file",
        str(EN_SMALL / "LICENSE"),
        "--keep-language-model",
        str(spoken),
    ]
    monkeypatch.setattr(sys, "argv", ["export", str(spoken / "model.onnx"), str(tmp_path / "out"), *options])
    export.main()
    bundle = Bundle.open(tmp_path / "out")
    assert BUNDLED in bundle.manifest.files
    assert weights_of(onnx.load_from_string(bundle.read("model.onnx"))) is WeightFormat.INT8
    assert bundle.read("LICENSE") == b"ours\n\n" + (EN_SMALL / "LICENSE").read_bytes()
