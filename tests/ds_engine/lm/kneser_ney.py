"""Interpolated modified Kneser-Ney on expected counts, written down once more from the papers: slow, exact, over dictionaries.

Chen and Goodman (1998), equations 25 to 27; Heafield et al. (2013), section 3; Zhang and Chiang (2014), sections 3 and 4. It
shares nothing with ds_engine but the fallback's three numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

Gram = tuple[str, ...]
Chances = Mapping[int, Fraction]  # number of sightings -> its probability

FALLBACK = {1: Fraction(1, 2), 2: Fraction(1), 3: Fraction(3, 2)}


class Reference:
    """The model of weighted sentences; `probabilities` and `back_offs` by n-gram, oldest word first."""

    def __init__(
        self,
        sentences: Sequence[tuple[Sequence[str], Fraction]],
        order: int,
        words: Iterable[str] | None = None,
        prune: Sequence[int] = (0,),
    ) -> None:
        known = {word for sentence, _ in sentences for word in sentence} if words is None else set(words)
        places: defaultdict[Gram, list[Fraction]] = defaultdict(list)
        for sentence, weight in sentences:
            padded = ["<s>", *(word if word in known else "<unk>" for word in sentence), "</s>"]
            for length in range(1, order + 1):
                for begin in range(len(padded) - length + 1):
                    places[tuple(padded[begin : begin + length])].append(weight)
        del places[("<s>",)]
        self.vocabulary = sorted({"<unk>", "</s>", *known})  # what can be predicted
        self._raw = {gram: chances(weights) for gram, weights in places.items()}
        self._prune = [*prune, *[prune[-1]] * order]
        self.probabilities: dict[Gram, Fraction] = {}
        self.back_offs: dict[Gram, Fraction] = {}
        for length in range(1, max(map(len, places)) + 1):
            self._estimate(length, highest=length == max(map(len, places)))
        for gram in [gram for gram in self.probabilities if self._pruned(gram)]:
            del self.probabilities[gram]
        for context in [context for context in self.back_offs if context not in self.probabilities and context not in {(), ("<s>",)}]:
            del self.back_offs[context]

    def probability(self, context: Gram, word: str) -> Fraction:
        """P(word | context), backing off as far as necessary."""
        if (*context, word) in self.probabilities:
            return self.probabilities[*context, word]
        return self.back_offs.get(context, Fraction(1)) * self.probability(context[1:], word)

    def _estimate(self, length: int, *, highest: bool) -> None:
        adjusted = {gram: self._adjusted(gram, highest=highest) for gram in self._raw if len(gram) == length}
        if length == 1:
            adjusted.update({(word,): {0: Fraction(1)} for word in self.vocabulary if (word,) not in adjusted})
        discount = discounts([sum((each.get(count, Fraction(0)) for each in adjusted.values()), Fraction(0)) for count in range(1, 5)])
        totals: defaultdict[Gram, Fraction] = defaultdict(Fraction)
        freed: defaultdict[Gram, Fraction] = defaultdict(Fraction)
        for gram, each in adjusted.items():
            totals[gram[:-1]] += mean(each)
            freed[gram[:-1]] += mean(each) if self._pruned(gram) else discounted(each, discount)
        for context, total in totals.items():
            self.back_offs[context] = freed[context] / total
        for gram, each in adjusted.items():
            context = gram[:-1]
            below = self.probability(context[1:], gram[-1]) if context else Fraction(1, len(self.vocabulary))
            self.probabilities[gram] = (mean(each) - discounted(each, discount)) / totals[context] + self.back_offs[context] * below

    def _adjusted(self, gram: Gram, *, highest: bool) -> Chances:
        if highest or gram[0] == "<s>":
            return self._raw[gram]
        longer = [each for other, each in self._raw.items() if len(other) == len(gram) + 1 and other[1:] == gram]
        return chances([1 - each.get(0, Fraction(0)) for each in longer])

    def _pruned(self, gram: Gram) -> bool:
        return len(gram) > 1 and mean(self._raw[gram]) <= self._prune[len(gram) - 1]


def chances(weights: Iterable[Fraction]) -> Chances:
    """The distribution of the number of sightings: of each weight the whole part is certain, the rest a coin."""
    result: Chances = {0: Fraction(1)}
    for weight in weights:
        whole, part = divmod(weight, 1)
        moved: defaultdict[int, Fraction] = defaultdict(Fraction)
        for count, chance in result.items():
            moved[count + whole] += chance * (1 - part)
            moved[count + whole + 1] += chance * part
        result = {count: chance for count, chance in moved.items() if chance}
    return result


def mean(each: Chances) -> Fraction:
    return sum((count * chance for count, chance in each.items()), Fraction(0))


def discounted(each: Chances, discount: Mapping[int, Fraction]) -> Fraction:
    return sum((discount[min(count, 3)] * chance for count, chance in each.items() if count), Fraction(0))


def discounts(numbers: Sequence[Fraction]) -> Mapping[int, Fraction]:
    n1, n2, n3, n4 = numbers
    if not (n1 and n2 and n3):
        return FALLBACK
    y = n1 / (n1 + 2 * n2)
    found = {1: 1 - 2 * y * n2 / n1, 2: 2 - 3 * y * n3 / n2, 3: 3 - 4 * y * n4 / n3}
    return found if all(0 < value <= count for count, value in found.items()) else FALLBACK
