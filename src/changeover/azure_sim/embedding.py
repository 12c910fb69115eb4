"""What vector is a text? Hashed TF-IDF: real vectors in which texts with the same telling words lie close together.

Each word and each pair of neighbouring words counts ``1 + ln(times)``, times how much the word says, in the one of 256
places that its hash names, with the sign that its hash names (feature hashing: Weinberger and others, 2009). The vector has
length 1. Fewer ``dimensions`` fold the places into fewer.
"""

import base64
import hashlib
import math
import struct
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from changeover.azure_sim.word_weights import weight_of
from changeover.evaluation.sentences import words

DIMENSIONS: Final = 256
PAIR_WEIGHT: Final = 0.5
"""Pairs tell less: most stand in one text only."""


def embed(text: str, *, dimensions: int = DIMENSIONS) -> list[float]:
    """The unit vector of ``text``. A text without any word is embedded by its characters."""
    vector = [0.0] * dimensions
    for feature, weight in _features(text).items():
        place, sign = _place(feature, dimensions)
        vector[place] += sign * weight
    length = math.sqrt(sum(value * value for value in vector))
    if not length:  # features that cancelled each other out to the last
        vector[0], length = 1.0, 1.0
    return [value / length for value in vector]


def to_base64(vector: Sequence[float]) -> str:
    """32-bit floats in little-endian order, as the APIs encode them."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def _features(text: str) -> dict[str, float]:
    found = words(text) or list(text)
    features = {word: (1 + math.log(times)) * weight_of(word) for word, times in Counter(found).items()}
    for pair, times in Counter(pairwise(found)).items():
        features[" ".join(pair)] = PAIR_WEIGHT * (1 + math.log(times)) * min(weight_of(word) for word in pair)
    return features


def _place(feature: str, dimensions: int) -> tuple[int, float]:
    digest = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return (digest >> 1) % DIMENSIONS % dimensions, 1.0 if digest & 1 else -1.0
