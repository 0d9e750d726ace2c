"""Every error the recogniser raises, split by whose fault it is.

    SpeechError                 the root: catch this at an outer border
    ├── InputError              the caller's: what was handed in cannot be used
    │   ├── AudioError          audio that is broken, of an unknown format, or not audio at all
    │   ├── LanguageError       a language or model that is not installed
    │   ├── BiasError           a phrase or hot word that cannot be used
    │   └── GrammarError        a closed grammar that is broken, impossible or too large
    ├── BundleError             the model bundle: missing, corrupt, or at odds with itself
    │   └── LanguageModelError  a language model or scorer: the same
    ├── LimitError              a named limit was reached
    │   ├── AudioTooLongError   an utterance longer than `utterance_seconds`
    │   ├── BusyError           as many utterances as `utterances` are already open
    │   └── TimeLimitError      something took longer than its deadline
    ├── ClosedError             the engine or the utterance has already ended
    ├── PluginError             somebody's plugin raised, hung or returned nonsense
    └── InternalError           ours: a bug, with the cause attached

`code` is a stable, lower-case name that protocols carry; `str(error)` is one line that says what was got and what was needed.
"""

from __future__ import annotations

import traceback
from pathlib import Path


class SpeechError(Exception):
    """Root of all errors of the recogniser and its host."""

    code = "internal"


class InputError(SpeechError):
    """The caller handed in something that cannot be used."""

    code = "bad-input"


class AudioError(InputError):
    """Audio that is broken, truncated, of an unsupported format, or not audio."""

    code = "bad-audio"


class LanguageError(InputError):
    """A language, or a model of that name, that is not installed."""

    code = "unsupported-language"


class BiasError(InputError):
    """A phrase or hot word that the model cannot use."""

    code = "bad-bias"


class GrammarError(InputError):
    """A closed grammar that is broken, can say nothing, or is too large."""

    code = "bad-grammar"


class BundleError(SpeechError):
    """A model bundle that is missing, corrupt, or at odds with itself."""

    code = "bad-model"


class LanguageModelError(BundleError):
    """A language model or scorer that is missing, corrupt, too large, or at odds with itself or with the alphabet."""

    code = "bad-language-model"


class LimitError(SpeechError):
    """A named limit (see ds_engine.limits) was reached."""

    code = "limit"


class AudioTooLongError(LimitError):
    """The utterance is longer than `utterance_seconds`."""

    code = "audio-too-long"


class BusyError(LimitError):
    """As many utterances as allowed are open already."""

    code = "busy"


class TimeLimitError(LimitError):
    """Something took longer than its deadline."""

    code = "timeout"


class ClosedError(SpeechError):
    """The engine, or this utterance, has already ended."""

    code = "closed"


class PluginError(SpeechError):
    """A plugin failed to load, raised, hung, or returned nonsense."""

    code = "plugin"


class InternalError(SpeechError):
    """A fault of ours; the cause is attached."""

    code = "internal"


def as_speech_error(error: BaseException, doing: str) -> SpeechError:
    """The error itself where it is one of these; anything else becomes the cause of an InternalError."""
    if isinstance(error, SpeechError):
        return error
    fault = InternalError(f"{kind_and_place(error)} while {doing}")
    fault.__cause__ = error
    return fault


def kind_and_place(error: BaseException) -> str:
    """What a log may say of an exception that was raised while speech was handled: its own message may hold what was said."""
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return f"{type(error).__name__} ({Path(places[-1][0]).name}, line {places[-1][1]})" if places else type(error).__name__


def stack_of(error: BaseException | None) -> str:
    """Where an exception came from, line by line, without its message; see `kind_and_place`."""
    return "" if error is None else "".join(traceback.format_tb(error.__traceback__)).rstrip()
