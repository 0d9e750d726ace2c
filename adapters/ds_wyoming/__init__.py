"""Speech-to-text over the Wyoming protocol, as Home Assistant speaks it; docs/how-to/wyoming.md says how it is used.

Read in the order of the flow: `address`, `listening` and `server` accept connections, `framing` and `requests` read what a
client sends, `session` acts on it, `wav` and `answer` carry one utterance, `ending` knows who ends it, `info` says what is on offer.
"""
