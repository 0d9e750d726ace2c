"""Recipes that make a model bundle: text and speech in, `model.onnx` with its manifest and card out. Needs the extra `train`.

In the order of a recipe; what stands first in a line is the stage or the command, what follows serves it.

    recipe, plan        recipe_tables (TOML), stages (what is done), fine_tuning (a recipe from somebody's recordings)
    prepare             corpora/ (importers, manifests), corpus (shards), splits, text (alphabets), phones
    synthesis           sentences, everyday (what is said), synthesisers, diphones, phone_sets, accents (who says it)
    splice              new utterances from pieces of recordings
    train               settings, shards, batches, loading (processes), trainer, run, schedule, progress, checkpoint, transfer,
                        model (the network); augment, augmentations (their table), augment_*
    average, plot       snapshots into one network; logs into curves
    export, quantise    onnx_graph, weights (formats), parity, exportable, bundle_folder
    language, calibrate the language model of a bundle, and the settings of its search; posteriors
    acceptance          when a sentence of a closed grammar is believed; sentence_grammars, logistic
    confidence, lag     how probable it is that a word is right, and when it was said; reliability, timed_speech
    respelling          how else made-up names may be written
    verify              verification, streamed
    evaluate            material, trials, noise, hearing, figures, groups, pitch, confusions, report, tables
    card                card_facts
    box/                all of it in one archive, for a machine with a GPU and without a network
    en-small/           recipe, card and licence of the bundled English model
"""
