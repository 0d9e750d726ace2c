"""ds_engine.lm: n-gram language models. Files in, `LanguageModel`s for the search out; text in, models out.

model is the contract that the search knows. backoff is a model as plain arrays, the form in which the others exchange one:
arpa (text), ngram (our memory-mapped file), kenlm_* and scorer (KenLM's and DeepSpeech's files), estimation and interpolation
(which make one).
"""
