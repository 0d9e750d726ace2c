"""Grammar files in, checked word graphs out: Home Assistant's sentence templates and Rhasspy's sentences.ini.

`files` takes a path of either kind, and `cache` and `stored` keep on disk what came of it (`loaded`). In the order of the flow, for
templates (`templates` is the whole way):

    data       sources, places            YAML and JSON, whose texts know their line
    records    schema                     what the file says, every template parsed by hassil
    frame      frames, walk, rules        word graphs of all sentences, with lists still open; contexts, readings: what fits and is said
    lists      lists, making              a graph for each list that is mentioned; ranges: numbers, joined: lists inside words
    grammar    binding, compact           lists filled in, what nobody can say left out

`sentences_ini` names the modules for Rhasspy's.
"""
