"""What the server says of itself: the manifests of the models on offer in, Wyoming's `info` out."""

from __future__ import annotations

from collections.abc import Iterable

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from ds_engine.manifest import Manifest
from ds_plugin import __version__

_AUTHORS = Attribution(name="ds-plugin", url="")  # clients need the key; there is no page to point at, and none is invented


def describe(manifests: Iterable[Manifest], name: str, *, endpointing: bool) -> Info:
    """One program, for Home Assistant looks at the first only, with every model that is offered; see docs/how-to/wyoming.md."""
    program = AsrProgram(
        name=name,
        attribution=_AUTHORS,
        installed=True,
        description="Offline streaming speech-to-text",
        version=__version__,
        models=[_model(manifest) for manifest in manifests],
        supports_transcript_streaming=True,  # also where a plugin may rewrite the text: then its one chunk comes at the end
        requires_external_vad=not endpointing,
        prefers_auto_gain_enabled=True,
        prefers_noise_reduction_enabled=False,  # models are trained on noise, not on what a filter leaves of speech
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
