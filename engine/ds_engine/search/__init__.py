"""ds_engine.search: the kernel, a streaming CTC prefix beam search with n-gram language models and closed grammars.

The modules in the order of the flow: policy (its settings), lexicon and spelling (what may be said: known words, and others), vocabulary
and sources (from files), phrases and language (how likely it is), constraint and closed (what may follow what: grammars), kernel (the
search itself), alignment and timeline (when it was said), lattice and confidence (how sure that is), decoder and closed_decoder (all
of it behind the decoder contract), hybrid with acceptance (open and closed side by side).
"""
