"""The glue of the Home Assistant app: the app's options in, a configured `ds-plugin` out, and word of it to Home Assistant.

Runs in the image's own Python environment, beside ds_plugin; needs the standard library, and ds_wyoming's health check.
"""
