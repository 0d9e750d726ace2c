"""ONNX Runtime's one door: model bytes in, an inference session out, with telemetry off.

Recent official Linux builds of ONNX Runtime (1.31, say) keep a device identifier on disk and send events to their maker over
HTTPS, unless `ORT_DISABLE_TELEMETRY` is set before the library is loaded (its Privacy.md). Nothing leaves this machine, so it
is set here, and whatever needs ONNX Runtime imports it from here.
"""

from __future__ import annotations

import os
from typing import Any

from ds_engine.acoustic import RuntimeOptions
from ds_engine.errors import BundleError

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime  # after the variable, or it would come too late

_ERRORS_ONLY = 3  # ONNX Runtime's log severity

Session = Any  # onnxruntime.InferenceSession, which is not typed


def open_session(name: str, model: bytes, options: RuntimeOptions) -> Session:
    """Loads a network. Raises BundleError, which calls it `name`, where ONNX Runtime cannot."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(model, settings, providers=list(options.providers))
    except Exception as error:  # ONNX Runtime's exceptions share no public base below Exception
        raise BundleError(f"{name}: ONNX Runtime cannot load it: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What ONNX Runtime says, without the pages that follow."""
    return str(error).strip().partition("\n")[0][:200]
