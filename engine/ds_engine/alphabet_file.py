"""DeepSpeech's alphabet.txt: a text file in, the symbols of an acoustic model in their order out, without the blank.

One symbol per line; lines that begin with # are comments, a backslash before it makes # a symbol, empty lines are passed over, and
a line of one space is the space (native_client/ctcdecode/alphabet.cpp).
"""

from __future__ import annotations

from pathlib import Path

from ds_engine.errors import InputError

MAX_ALPHABET_BYTES = 2**20
_BOM = "\ufeff"


def read_alphabet(path: Path) -> tuple[str, ...]:
    """The symbols of a file. Raises InputError where it cannot be read, is no UTF-8 text, or names none or one twice."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_ALPHABET_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if len(content) > MAX_ALPHABET_BYTES:
        raise InputError(f"{path}: longer than {MAX_ALPHABET_BYTES} bytes")
    try:
        text = content.decode().removeprefix(_BOM)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8 ({error.reason})") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    symbols = tuple("#" if line == r"\#" else line for line in lines if line and not line.startswith("#"))
    if not symbols:
        raise InputError(f"{path}: no symbols")
    if twice := next((symbol for symbol in symbols if symbols.count(symbol) > 1), None):
        raise InputError(f"{path}: the symbol {twice!r} stands twice")
    return symbols
