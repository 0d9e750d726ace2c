"""An observer around the host's: every utterance gets the household's vocabulary beside what plugins expect, all of it readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ds_engine.bias import Bias
from ds_engine.observer import Observer, Preparation, Recording, UtteranceInfo
from ds_engine.transcript import Partial, Transcript
from ds_plugin.vocabulary.current import Vocabulary


class VocabularyObserver:
    """See ds_engine.observer.Observer."""

    def __init__(self, observer: Observer, vocabulary_of: Callable[[str], Vocabulary]) -> None:
        """`vocabulary_of` gives the vocabulary for the model of an UtteranceInfo."""
        self._observer = observer
        self._vocabulary_of = vocabulary_of

    @property
    def rewrites(self) -> bool:
        """As the observer inside."""
        return self._observer.rewrites

    async def prepare(self, info: UtteranceInfo) -> Preparation:
        """Adds the vocabulary to the bias; the household's own comes first where there is too much."""
        prepared = await self._observer.prepare(info)
        vocabulary = self._vocabulary_of(info.model)
        bias, household = vocabulary.read(prepared.bias), vocabulary.snapshot()
        return replace(prepared, bias=bias if household == Bias() else household if bias == Bias() else household.merged(bias))

    def partial(self, info: UtteranceInfo, partial: Partial) -> None:
        """As the observer inside."""
        self._observer.partial(info, partial)

    async def complete(self, info: UtteranceInfo, transcript: Transcript, recording: Recording | None) -> Transcript:
        """As the observer inside."""
        return await self._observer.complete(info, transcript, recording)

    def ended(self, info: UtteranceInfo, transcript: Transcript | None, error: BaseException | None) -> None:
        """As the observer inside."""
        self._observer.ended(info, transcript, error)
