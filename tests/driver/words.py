"""Texts for the driver: sentences about nothing much, each naming the write that it is of.

Invariant: the word of a number is in no other number's texts, and is a word of its own for every
tokenizer, so that whoever shows or stores it gives away which write it comes from.
"""

from __future__ import annotations

from random import Random

_CONSONANTS = "bdfgklmnprtv"
_VOWELS = "aeiou"
_SYLLABLES = [consonant + vowel for consonant in _CONSONANTS for vowel in _VOWELS]
_FEWEST_SYLLABLES = 3

_SUBJECTS = ["The boiler", "My sister", "The landlord", "Our dentist", "The train", "A neighbour"]
_VERBS = ["repairs", "forgets", "remembers", "pays for", "waits for", "talks about", "looks after"]
_OBJECTS = ["the garden", "a piano", "the rent", "two tickets", "the harbour", "an old bicycle"]
_TIMES = ["in spring", "every Monday", "before noon", "after the storm", "once a year", "at night"]

QUESTIONS = [f"{subject.lower()} {time}" for subject in _SUBJECTS for time in _TIMES]


def word(number: int) -> str:
    """The word of a number, such as ``zbadobux``."""
    syllables: list[str] = []
    while number or len(syllables) < _FEWEST_SYLLABLES:
        number, place = divmod(number, len(_SYLLABLES))
        syllables.append(_SYLLABLES[place])
    return f"z{''.join(reversed(syllables))}x"


def title(rng: Random, number: int) -> str:
    return f"{rng.choice(_OBJECTS).capitalize()} {word(number)}"


def text(rng: Random, number: int, sentences: int) -> str:
    """That many sentences, in paragraphs of five."""
    lines = [_sentence(rng, number) for _ in range(sentences)]
    paragraphs = [" ".join(lines[place : place + 5]) for place in range(0, sentences, 5)]
    return "\n\n".join(paragraphs)


def _sentence(rng: Random, number: int) -> str:
    said = f"{rng.choice(_SUBJECTS)} {rng.choice(_VERBS)} {rng.choice(_OBJECTS)}"
    return f"{said} {word(number)} {rng.choice(_TIMES)}."
