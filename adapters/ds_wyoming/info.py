"""What the server says of itself: the model's manifest in, Wyoming's `info` out."""

from __future__ import annotations

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from ds_engine.manifest import Manifest
from ds_plugin import __version__

_AUTHORS = Attribution(name="ds-plugin", url="")  # Home Assistant needs the key; there is no page to point at


def describe(manifest: Manifest, name: str) -> Info:
    """One program with the one model that is loaded. Noise reduction is declined: it costs recognisers more than noise does."""
    program = AsrProgram(
        name=name,
        attribution=_AUTHORS,
        installed=True,
        description="Offline streaming speech-to-text",
        version=__version__,
        models=[_model(manifest)],
        supports_transcript_streaming=True,
        requires_external_vad=True,
        prefers_auto_gain_enabled=True,
        prefers_noise_reduction_enabled=False,
    )
    return Info(asr=[program])


def _model(manifest: Manifest) -> AsrModel:
    return AsrModel(
        name=manifest.name,
        attribution=_AUTHORS,
        installed=True,
        description=f"{manifest.description} ({manifest.license})",
        version=manifest.version,
        languages=[manifest.language],
    )
