"""The plugin: where the settings name a Home Assistant, a source of vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ds_home_assistant.settings import OPTIONS, SECTION, HomeAssistantSettings
from ds_plugin.adapter import extra
from ds_plugin.config import Option, Values
from ds_plugin.hookspecs import hookimpl
from ds_plugin.vocabulary.source import VocabularySource


class Given:
    """Gives one source."""

    def __init__(self, source: VocabularySource) -> None:
        self._source = source

    @hookimpl
    def ds_vocabulary_source(self) -> VocabularySource:
        """The source."""
        return self._source


@hookimpl
def ds_register_options(register: Callable[[str, tuple[Option, ...]], None]) -> None:
    """Section `home_assistant`."""
    register(SECTION, OPTIONS)


@hookimpl
def ds_configure(settings: Mapping[str, Values], register: Callable[[object], None]) -> None:
    """The source, if there is a Home Assistant to ask."""
    chosen = HomeAssistantSettings(**settings[SECTION])
    if chosen.address is None:
        return
    with extra("home-assistant"):
        from ds_home_assistant.custom_files import CustomFiles
        from ds_home_assistant.source import HomeAssistantSource
        from ds_home_assistant.store import Store
    store = Store(chosen.store_path, str(chosen.address))
    register(Given(HomeAssistantSource(chosen.address, chosen.token, store, CustomFiles(chosen.custom_paths))))
