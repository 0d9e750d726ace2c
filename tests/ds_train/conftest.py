"""One thread for PyTorch: networks this small lose time to more, above all beside other tests."""

from __future__ import annotations

import importlib.util

if importlib.util.find_spec("torch"):
    import torch

    torch.set_num_threads(1)
