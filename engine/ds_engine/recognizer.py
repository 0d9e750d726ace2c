"""The recognizer: a loaded model, a decoder over its alphabet, and the names under which their results go out.

Immutable after load and free of utterances; it opens any number of streams, and an engine shares one among all its threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ds_engine.bias import Bias
from ds_engine.decoder import Decoder, DecoderContext, DecoderFactory
from ds_engine.limits import Limits
from ds_engine.stream import AudioFilterFactory, Stream

if TYPE_CHECKING:
    from ds_engine.acoustic import AcousticModel, ModelFamily, RuntimeOptions
    from ds_engine.audio import AudioFormat
    from ds_engine.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Recognizer:
    """A model and a decoder."""

    model: AcousticModel
    decoder: Decoder
    name: str = ""
    language: str = ""  # BCP 47

    @classmethod
    def load(
        cls,
        bundle: Bundle,
        family: ModelFamily,
        decoder: DecoderFactory,
        options: RuntimeOptions,
        language_model: Path | None = None,
        search: Mapping[str, Any] | None = None,
        grammar: Mapping[str, Any] | None = None,
    ) -> Recognizer:
        """Loads a verified bundle. Raises BundleError where its parts, or the language model, are at odds."""
        model = family(bundle, options)
        manifest = bundle.manifest
        made = decoder(DecoderContext(manifest.alphabet, model.timing, bundle, language_model, search or {}, grammar or {}))
        return cls(model, made, f"{manifest.name} {manifest.version}", manifest.language)

    def stream(
        self,
        source: AudioFormat,
        bias: Bias | None = None,
        filters: Sequence[AudioFilterFactory] = (),
        limits: Limits | None = None,
    ) -> Stream:
        """Opens an utterance of PCM in `source`'s format."""
        made = [factory(self.model.sample_rate) for factory in filters]
        return Stream(self, source, bias or Bias(), made, limits or Limits())
