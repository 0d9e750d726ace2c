"""Home Assistant as a source of vocabulary: what its household is called and says, over its WebSocket API.

It is a plugin of `ds_plugin`; `home_assistant` is its section of the settings.
"""
