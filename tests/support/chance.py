"""A text without what chance made of it, so that a short word in it was put there by somebody.

Three letters stand in a kibibyte of base64 once in some two hundred runs, four digits in a page of ids nearly
as often: a test that looks for them in the whole text fails on a day when nothing is wrong.
"""

import re

_IDS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TOKENS = re.compile(r"[0-9A-Za-z_=.-]{24,}")
_FRACTIONS = re.compile(r"(?<=:\d\d)\.\d+")
_PORTS = re.compile(r"(?<=127\.0\.0\.1):\d+")


def without_chance(text: str) -> str:
    """The text without ids, tokens, fractions of seconds and ports of this machine; all else stays."""
    for made_by_chance in (_IDS, _TOKENS, _FRACTIONS, _PORTS):
        text = made_by_chance.sub("", text)
    return text
