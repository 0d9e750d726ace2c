"""The settings in, the vocabulary that they name out."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from ds_engine.manifest import Manifest
from ds_plugin.config import Settings
from ds_plugin.grammars.loaded import Loaded
from ds_plugin.spoken import Reader
from ds_plugin.vocabulary.contents import GrammarLoader, Sources
from ds_plugin.vocabulary.current import Vocabulary
from ds_plugin.vocabulary.files import boosted


def load_vocabulary(settings: Settings, manifest: Manifest, *, grammars: bool = True) -> Vocabulary:
    """The vocabulary for a model. Raises BiasError or GrammarError, which name file and line, where a source is broken.

    Without `grammars` those of the settings are left out: they are in the language of the first model.
    """
    reader = Reader(manifest.alphabet, manifest.language)
    sources = sources_of(settings)
    chosen = sources if grammars else Sources(sources.vocabularies)
    vocabulary = Vocabulary(reader, chosen, grammar_loader(manifest.language), manifest.language, cache_folder())
    for text in settings.get("hot_words"):
        vocabulary.add_hot_word(*boosted(text))
    return vocabulary


def sources_of(settings: Settings) -> Sources:
    """The files that the settings name, each once."""
    return Sources(*(tuple(dict.fromkeys(map(Path, settings.get(name)))) for name in ("vocabulary", "grammars")))


def cache_folder() -> Path:
    """Where compiled grammars are kept."""
    return Path(platformdirs.user_cache_dir("ds-plugin")) / "grammars"


def grammar_loader(language: str) -> GrammarLoader:
    """Reads grammars of any kind; what was compiled is kept on disk until it changes."""
    cache = cache_folder()

    def load(path: Path, reader: Reader) -> Loaded:
        from ds_plugin.grammars import files  # templates and YAML: only once there is a grammar

        return files.load_grammar(path, reader, language, cache=cache)

    return load
