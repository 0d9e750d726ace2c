"""A recipe small enough to pack in a test: a sentence file, three short recordings, wheels without content, weights to start from."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from ds_training.box.wheels import THERE, needs
from tests.project import ROOT

if TYPE_CHECKING:  # packing needs torch
    from ds_training.box.pack import Row

RATE = 16_000
ESPEAK = ("espeak-ng", "espeak-ng:foreign")


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`text.txt`, `all.tsv` with `parts.tsv` (anna trains, clara develops, and tess is the test set), `wheels/`."""
    folder = tmp_path_factory.mktemp("material")
    (folder / "text.txt").write_text("turn on the light\nwhat a fine day\n")
    rows, rng = ["file\tspeaker\ttext"], np.random.default_rng(1)
    for number, speaker in enumerate(("anna", "clara", "tess")):
        soundfile.write(folder / f"{number}.wav", 0.1 * rng.normal(size=RATE).astype(np.float32), RATE)
        rows.append(f"{number}.wav\t{speaker}\tlight")
    (folder / "all.tsv").write_text("\n".join(rows) + "\n")
    (folder / "parts.tsv").write_text("speaker\tpart\nanna\ttrain\nclara\tdevelopment\ntess\ttest\n")
    (folder / "wheels").mkdir()
    for name in needs(ROOT / "engine") - THERE | {"home-assistant-intents"}:
        stem = f"{name.replace('-', '_')}-1.0"
        with zipfile.ZipFile(folder / "wheels" / f"{stem}-py3-none-any.whl", "w") as archive:
            archive.writestr(f"{stem}.dist-info/METADATA", "")
    return folder


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive that was unpacked again, and the lines of its table."""

    folder: Path
    rows: Sequence[Row]


@pytest.fixture(scope="session")
def packed(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    pytest.importorskip("torch")
    if shutil.which("espeak-ng") is None:
        pytest.skip("needs espeak-ng")
    from ds_training.box.pack import Sources, pack
    from ds_training.checkpoint import save_checkpoint
    from ds_training.model import BlockSpec, Network, NetworkSpec

    folder = tmp_path_factory.mktemp("packed")
    network = Network(NetworkSpec((BlockSpec(80, 8, 5, 2, 1), BlockSpec(8, 8, 5, 2, 1)), width=6))
    weights = network.state_dict()
    save_checkpoint(folder / "start.pt", {"spec": network.spec.to_json(), "weights": weights, "live": weights})
    files = (material / "all.tsv", material / "parts.tsv", material / "wheels")
    rows, _ = pack(Sources((material / "text.txt",), *files, start=folder / "start.pt", voices=ESPEAK), folder / "box.tar.xz", preset=0)
    with tarfile.open(folder / "box.tar.xz") as archive:
        archive.extractall(folder / "box", filter="data")
    return Packed(folder / "box", rows)
