"""Recipes that make a model bundle: text and speech in, `model.onnx` with its manifest and card out. Needs the extra `train`."""
