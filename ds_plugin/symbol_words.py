"""Symbols in words, by language; and letters in other letters, for alphabets that lack them."""

from __future__ import annotations

from collections.abc import Mapping

SYMBOLS: Mapping[str, Mapping[str, str]] = {
    "de": {"&": "und", "+": "plus", "%": "prozent", "@": "at", "=": "gleich", "°": "grad", "°c": "grad celsius", "€": "euro"},
    "en": {
        "&": "and", "+": "plus", "%": "percent", "@": "at", "=": "equals", "#": "number", "½": "half", "¼": "quarter",
        "¾": "three quarters", "°": "degrees", "°c": "degrees celsius", "°f": "degrees fahrenheit", "€": "euros", "$": "dollars",
        "£": "pounds", "¥": "yen",
    },
    "es": {"&": "y", "+": "más", "%": "por ciento", "@": "arroba", "=": "igual", "°": "grados", "°c": "grados celsius", "€": "euros"},
    "fr": {"&": "et", "+": "plus", "%": "pour cent", "@": "arobase", "=": "égal", "°": "degrés", "°c": "degrés celsius", "€": "euros"},
    "it": {"&": "e", "+": "più", "%": "per cento", "@": "chiocciola", "=": "uguale", "°": "gradi", "°c": "gradi celsius", "€": "euro"},
    "nl": {"&": "en", "+": "plus", "%": "procent", "@": "apenstaartje", "=": "is", "°": "graden", "°c": "graden celsius", "€": "euro"},
    "pt": {"&": "e", "+": "mais", "%": "por cento", "@": "arroba", "=": "igual", "°": "graus", "°c": "graus celsius", "€": "euros"},
}  # fmt: skip

SILENT = frozenset("|~^`<>™®©")  # symbols that part words and are not said, as punctuation is

SAID = frozenset("%&@#§‰")  # punctuation by Unicode's count that is said: lost where the language has no word for it

CURRENCIES = "$€£¥"  # written before the number, said behind it

DECIMAL_POINT = frozenset({"en", "he", "hi", "ja", "ko", "ms", "th", "zh"})  # languages that write 1.5; the others write 1,5

ORDINALS: Mapping[str, str] = {
    "de": r"\.",
    "en": "st|nd|rd|th",
    "es": "º|ª",
    "fr": "ère|ème|er|re|e",
    "it": "º|ª",
    "nl": "ste|de|e",
    "pt": "º|ª",
}  # what follows a number that counts places, as regular expressions

LETTERS: Mapping[str, str] = {  # those that Unicode does not take apart into another letter and a mark
    "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D",
    "þ": "th", "Þ": "TH", "ł": "l", "Ł": "L", "ħ": "h", "Ħ": "H", "ŋ": "ng", "Ŋ": "NG", "ŧ": "t", "Ŧ": "T", "ə": "e", "Ə": "E",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i", "\N{MODIFIER LETTER APOSTROPHE}": "'", "\N{MODIFIER LETTER TURNED COMMA}": "'",
}  # fmt: skip
