"""Grammar files: Home Assistant's sentence templates and Rhasspy's sentences in, checked word graphs out.

In the order of the flow for templates: `files` (a path in, a grammar out), `sources` (YAML and JSON that remember lines), `schema`
(what the file says), `walk` (a template becomes a word graph), `lists` and `joined` (so do the lists that it mentions), `compact`
(what nobody can say is left out), `binding` (a grammar from all of them), `templates` (the whole way), `cache` (kept on disk).
"""
