"""The word lists of the rules, read once and late.

Compiled for this project from general knowledge of Dutch and of names that are common in the Netherlands,
among them those of its largest migrant groups. `package_names*`, `other_languages` and `strange_words` come
from packages (docs/redaction.md names them and their licences). Everything is folded: lower case, no
accents. `common.txt` holds words that are no names in a carrier's note, with frequent misspellings.
"""

import re
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Final

_DOUBLED: Final = re.compile(r"(.)\1+")
_SOUNDS: Final = (
    ("ij", "i"),
    ("ei", "i"),
    ("oe", "u"),
    ("ou", "u"),
    ("sch", "s"),
    ("cz", "ch"),
    ("ck", "k"),
    ("ch", "g"),
    ("dt", "t"),
    ("th", "t"),
    ("ph", "f"),
    ("x", "ks"),
    ("q", "k"),
    ("c", "k"),
    ("z", "s"),
    ("v", "f"),
    ("w", "f"),
    ("y", "i"),
    ("j", "i"),
)
_VOWELS: Final = str.maketrans("eiou", "aaaa")


@dataclass(frozen=True, kw_only=True)
class Words:
    """The lists, one file each, and what follows from them: names that are no words, and their sounds."""

    first_names: frozenset[str]
    surnames: frozenset[str]
    common: frozenset[str]
    only_names: frozenset[str]
    """First names and surnames that are no other word: names wherever they stand."""
    sounds: frozenset[str]
    titles: frozenset[str]
    """`meneer`, `dhr`, `oma`: a name follows, also one that is on no list."""
    relations: frozenset[str]
    cues: frozenset[str]
    """`heet`, `genaamd`."""
    abbreviations: frozenset[str]
    particles: frozenset[str]
    """`van`, `de`, `el`: may stand before a surname."""
    sure_particles: frozenset[str]
    """`der`, `el`: hardly stand before anything else."""
    after_particle: frozenset[str]
    """Common words that are surnames behind a particle and a title: `mevrouw de wit`."""
    after_van: frozenset[str]
    """Surnames only behind `van`: places and common words."""
    needs_capital: frozenset[str]
    """Verbs and adjectives that are names only with a capital: `Wil`, `Groot`."""
    no_streets: frozenset[str]
    """`onderweg`, `snelweg`."""
    street_parts: frozenset[str]
    """`prins`, `burgemeester`, `oude`: the first word of many a street."""
    street_particles: frozenset[str]
    units: frozenset[str]
    """Words for counted things: a number before one of these is no age."""
    short_words: frozenset[str]
    """Words of two letters: no part of a postcode or plate."""
    strange_words: frozenset[str]
    """Turkish, Polish and Romanian words: more likely a name where they stand in a Dutch note."""
    other_languages: frozenset[str]
    """Frequent words of the page's other languages."""


_NAMED_LISTS: Final = frozenset(
    field.name for field in fields(Words) if field.name not in {"only_names", "sounds"}
)


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the word lists of this folder."""
    lists = {name: listed(name) for name in _NAMED_LISTS}
    first, surnames = lists["first_names"], lists["surnames"]
    names = (first - listed("ambiguous_first_names")) | (surnames - listed("ambiguous_surnames"))
    only_names = names - lists["common"]
    sounds = frozenset(sound(name) for name in only_names if len(name) >= 5)
    sure, with_capital = listed("package_names"), listed("package_names_with_capital")
    lists["first_names"] = first | sure | with_capital
    lists["needs_capital"] |= with_capital
    return Words(only_names=only_names | sure, sounds=sounds, **lists)


def sound(name: str) -> str:
    """About how a name sounds, whoever spells it: `joesef` and `youssef` are one."""
    for spelling, plain in _SOUNDS:
        name = name.replace(spelling, plain)
    plain_name = name[:1] + name[1:].replace("h", "").translate(_VOWELS)
    return _DOUBLED.sub(r"\1", plain_name)


def listed(name: str) -> frozenset[str]:
    """Return one list; `words` also reads those of packages, which take 0.2 s and 50 MB."""
    text = files(__package__).joinpath("words", f"{name}.txt").read_text(encoding="utf-8")
    return frozenset(text.split())
