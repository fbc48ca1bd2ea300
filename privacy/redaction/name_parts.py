"""Parts of words that tell names, relations and brands from other words."""

from typing import Final

RELATION_ENDS: Final = (
    "zoon",
    "dochter",
    "buurman",
    "buurvrouw",
    "moeder",
    "vader",
    "broer",
    "zus",
    "vriend",
    "vriendin",
)


# Shops and brands that carry a person's name.
BRANDS: Final = frozenset(
    {("albert", "heijn"), ("jan", "linders"), ("dirk", "van"), ("douwe", "egberts"), ("van", "gogh")}
)


BRAND_WORDS: Final = frozenset(word for pair in BRANDS for word in pair)


SURNAME_ENDS: Final = (
    "stra",
    "sma",
    "inga",
    "ssen",
    "oglu",
    "owski",
    "owska",
    "ewski",
    "ewska",
    "escu",
    "enko",
    "ovic",
    "evic",
    "czyk",
    "wicz",
    "akis",
    "ouche",
    "aoui",
    "iani",
    "poulos",
)
