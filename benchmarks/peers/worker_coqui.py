"""Coqui STT 1.4.0's decoder (package coqui_stt_ctcdecoder); see benchmarks.peers.worker."""

from __future__ import annotations

import functools

import coqui_stt_ctcdecoder

from benchmarks.peers.native import BEAM, NativePeer
from benchmarks.peers.worker import serve

if __name__ == "__main__":
    serve(functools.partial(NativePeer, coqui_stt_ctcdecoder), BEAM)
