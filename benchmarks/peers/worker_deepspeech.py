"""DeepSpeech 0.9.3's decoder (package ds_ctcdecoder); see benchmarks.peers.worker."""

from __future__ import annotations

import functools

import ds_ctcdecoder

from benchmarks.peers.native import BEAM, NativePeer
from benchmarks.peers.worker import serve

if __name__ == "__main__":
    serve(functools.partial(NativePeer, ds_ctcdecoder), BEAM)
