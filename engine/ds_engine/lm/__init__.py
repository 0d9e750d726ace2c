"""ds_engine.lm: n-gram language models. Files in, `LanguageModel`s for the search out; text in, models out.

The modules: model is the contract that the search knows. backoff is a model as plain arrays, the form in which the others exchange one.
Files: files tells formats apart; arpa (text, by lines), ngram (our memory-mapped file, of sections and words), kenlm_* (KenLM's
binaries), scorer and constfst (DeepSpeech's and Coqui's). Making one: counts, expected and estimation (modified Kneser-Ney),
interpolation, pruning with frequencies, normalisation. perplexity tells how good it is.
"""
