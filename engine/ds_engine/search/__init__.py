"""ds_engine.search: the kernel, a streaming CTC prefix beam search with n-gram language models.

The modules in the order of the flow: policy (its settings), lexicon and spelling (what may be said: known words, and others),
phrases and language (how likely it is), kernel (the search itself), alignment (when it was said), decoder (all of it behind the
decoder contract).
"""
