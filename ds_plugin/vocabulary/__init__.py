"""The host's vocabulary: files and settings in, the Bias of the next utterance out.

In the order of the flow: `files` (a vocabulary file in, its lines out), `phrases` (what is written becomes what can be heard), `current`
(files, grammars and hot words together, read again when they change), `observer` (gives them to every utterance).
"""
