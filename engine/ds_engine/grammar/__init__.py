"""Closed grammars: sentences that may be said, as word graphs that call each other.

In the order of the flow: `graph` is what front ends build with `builder`, which has each graph examined (`soundness`, `reach`) and all
of them put in order (`network`, with their `tables`). `machine` walks them deterministically, word by word and only as far as somebody
goes (`stacks`, `expansion`); `matching` finds intent and slots of a sentence (`survival` says where it need not look).
"""
