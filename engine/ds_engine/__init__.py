"""ds_engine: the streaming CTC recogniser. Bytes in, events out; no network, no plugins, no files but the model's.

The modules in the order of the flow: audio, features, acoustic (contract) and native (its first family), decoder (contract) with its
searches (search, the kernel, over lm, the language models, and grammar, closed grammars; greedy; pyctcdecode), listener with endpoint
and voice_activity (when speech ends), stream, utterance, ready, threads, engine, sync. Beside them: alphabet, automaton, bias,
hot_words, bundle, manifest, recognizer, observer, onnx_session, transcript, text, limits, errors.
"""

from ds_engine.acoustic import AcousticModel, ModelFamily, RuntimeOptions
from ds_engine.alphabet import Alphabet, Boundary, BoundaryRule
from ds_engine.audio import AudioFormat
from ds_engine.bias import Bias, Phrase, Pronunciation
from ds_engine.bundle import Bundle
from ds_engine.decoder import Attention, Attentive, Decoder, DecoderContext, DecoderFactory, Timing
from ds_engine.endpoint import EndpointSettings
from ds_engine.engine import Engine
from ds_engine.grammar.graph import Grammar
from ds_engine.greedy import GreedyDecoder
from ds_engine.hot_words import HotWords
from ds_engine.limits import Limits
from ds_engine.listener import Endpointing
from ds_engine.observer import Observer, Preparation, Recording, SilentObserver, UtteranceInfo
from ds_engine.recognizer import Recognizer
from ds_engine.search.decoder import KernelDecoder
from ds_engine.search.hybrid import HybridDecoder
from ds_engine.search.policy import SearchPolicy
from ds_engine.stream import AudioFilter, AudioFilterFactory, Stream
from ds_engine.sync import SyncEngine, SyncUtterance
from ds_engine.transcript import Event, Final, Hypothesis, Match, Partial, SpeechEnded, SpeechStarted, Transcript, Word
from ds_engine.utterance import Utterance

__all__ = [
    "AcousticModel",
    "Alphabet",
    "Attention",
    "Attentive",
    "AudioFilter",
    "AudioFilterFactory",
    "AudioFormat",
    "Bias",
    "Boundary",
    "BoundaryRule",
    "Bundle",
    "Decoder",
    "DecoderContext",
    "DecoderFactory",
    "EndpointSettings",
    "Endpointing",
    "Engine",
    "Event",
    "Final",
    "Grammar",
    "GreedyDecoder",
    "HotWords",
    "HybridDecoder",
    "Hypothesis",
    "KernelDecoder",
    "Limits",
    "Match",
    "ModelFamily",
    "Observer",
    "Partial",
    "Phrase",
    "Preparation",
    "Pronunciation",
    "Recognizer",
    "Recording",
    "RuntimeOptions",
    "SearchPolicy",
    "SilentObserver",
    "SpeechEnded",
    "SpeechStarted",
    "Stream",
    "SyncEngine",
    "SyncUtterance",
    "Timing",
    "Transcript",
    "Utterance",
    "UtteranceInfo",
    "Word",
]
