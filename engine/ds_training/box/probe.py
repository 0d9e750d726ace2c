"""Whether a machine can do it: the name of a device in, one JSON object of facts out, or an error within seconds instead of minutes.

    python -m ds_training.box.probe cuda

Everything that the recipe imports is imported, and one step of training is made on the device, with and without bfloat16.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import time
from typing import Any

import torch
from torch import nn

from ds_training.box.contents import BoxError

NEEDED = ("hassil", "home_assistant_intents", "jiwer", "onnx", "soundfile", "soxr", "ds_training.synthesis", "ds_training.train")
_SHAPE = (8, 320, 100)  # utterances, channels, steps


def probe(name: str) -> dict[str, Any]:
    """Facts of this machine. Raises BoxError for a device that it has not, ImportError for a package."""
    if name == "cuda" and not torch.cuda.is_available():
        raise BoxError(f"the recipe needs a GPU that PyTorch {torch.__version__} can use, got none")
    for module in NEEDED:
        importlib.import_module(module)
    device = torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
    facts = {
        "machine": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": device.type,
        "step_seconds": {"float32": round(step_seconds(device, half=False), 4), "bfloat16": round(step_seconds(device, half=True), 4)},
    }
    return facts | ({"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if device.type == "cuda" else {})


def step_seconds(device: torch.device, *, half: bool) -> float:
    """Seconds of one step with a convolution, an LSTM and CTC, after a first one that loads what they need."""
    utterances, channels, steps = _SHAPE
    convolution, lstm = nn.Conv1d(channels, channels, 5, padding=2).to(device), nn.LSTM(channels, 384, batch_first=True).to(device)
    head = nn.Linear(384, 29).to(device)
    features = torch.zeros(utterances, channels, steps, device=device)
    targets, lengths = torch.ones(utterances, 20, dtype=torch.long), torch.full((utterances,), 20)
    seconds = 0.0
    for _ in range(2):
        began = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            heard, _ = lstm(convolution(features).transpose(1, 2))
            log_probs = head(heard).float().log_softmax(-1)
        loss = nn.functional.ctc_loss(log_probs.transpose(0, 1), targets.to(device), torch.full((utterances,), steps), lengths)
        loss.backward()
        if not bool(loss.isfinite()):  # waits for the device, too
            raise BoxError(f"{device} needs to give a finite loss, got {float(loss)}")
        seconds = time.perf_counter() - began
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="Facts of this machine, as JSON.")
    parser.add_argument("device", choices=("auto", "cpu", "cuda"))
    print(json.dumps(probe(parser.parse_args().device)))


if __name__ == "__main__":
    main()
