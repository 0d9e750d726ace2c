"""A plugin of one's own: names that the decoder should expect, and transcripts that end in a full stop."""

from ds_engine import Bias, Phrase, Transcript
from ds_plugin import hookimpl

FAMILY = ("Grandma's lamp", "Wohnzimmer")


@hookimpl
def ds_bias() -> Bias:
    """Names in this household, a little likelier than other words."""
    return Bias(tuple(Phrase(name, boost=2.0) for name in FAMILY))


@hookimpl
def ds_transform_transcript(transcript: Transcript) -> Transcript | None:
    """Sentences as people write them."""
    text = transcript.text
    return transcript.with_text(text[0].upper() + text[1:] + ".") if text else None
