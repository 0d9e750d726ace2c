"""The words of a model as they lie in a file: one run of UTF-8, and where each begins. Looked up by bisection, nothing is built."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

from ds_engine.errors import LanguageModelError
from ds_engine.lm.backoff import SPECIAL, UNKNOWN


class StoredWords(Sequence[str]):
    """The words by index: <unk>, <s> and </s>, then the others in the order of their bytes."""

    __slots__ = ("_offsets", "_spelling")

    def __init__(self, spelling: npt.NDArray[np.uint8], offsets: npt.NDArray[np.uint32]) -> None:
        """`offsets` has one element more than there are words. Raises LanguageModelError where the special words are not in place."""
        self._spelling, self._offsets = spelling.data, offsets.data
        if len(self) < len(SPECIAL) or self[: len(SPECIAL)] != SPECIAL:
            raise LanguageModelError(f"the words do not begin with {' '.join(SPECIAL)}")

    @staticmethod
    def stored(words: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
        """Words in their order -> uint8 [bytes] spelling, uint32 [words + 1] offsets."""
        spelled = [word.encode() for word in words]
        offsets = np.zeros(len(words) + 1, np.uint32)
        np.cumsum([len(word) for word in spelled], out=offsets[1:])
        return np.frombuffer(b"".join(spelled), np.uint8), offsets

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        """One word, or several. Raises LanguageModelError where the file holds no UTF-8."""
        if isinstance(index, slice):
            return tuple(self[one] for one in range(*index.indices(len(self))))
        try:
            return self._bytes(range(len(self))[index]).decode()
        except UnicodeDecodeError as error:
            raise LanguageModelError(f"word {index} is not UTF-8") from error

    def find(self, word: str) -> int:
        """The index of a word, that of <unk> where there is no such word."""
        if word in SPECIAL:
            return SPECIAL.index(word)
        try:
            wanted = word.encode()
        except UnicodeEncodeError:  # half a surrogate pair
            return UNKNOWN
        found = bisect_left(range(len(self)), wanted, len(SPECIAL), key=self._bytes)
        return found if found < len(self) and self._bytes(found) == wanted else UNKNOWN

    def _bytes(self, index: int) -> bytes:
        return bytes(self._spelling[self._offsets[index] : self._offsets[index + 1]])
