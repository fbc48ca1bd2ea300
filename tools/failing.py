"""Words for the person at the terminal, and the exception that ends a tool with them."""

import sys


class Failed(Exception):
    """A tool cannot go on; the text says the cause and the remedy."""


def say(words: str) -> None:
    """Print to standard error, at once."""
    print(words, file=sys.stderr, flush=True)
