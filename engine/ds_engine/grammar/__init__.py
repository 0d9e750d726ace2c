"""Closed grammars: sentences that may be said, as word graphs that call each other.

In the order of the flow: `graph` is what front ends build, `machine` walks it deterministically, word by word and only as far as
somebody goes, `matching` finds intent and slots of a sentence in it.
"""
