"""Answers of one size: TLS hides what is said, not how long it is."""

JSON_STEP = 512
"""Bytes; every state of a receipt, and every receiver, fits in the first."""
PAGE_STEP = 8192
"""Bytes; the pages of a sent report and of its progress, in every language, are shorter than one of these."""


def of_one_size(content: bytes, step: int) -> bytes:
    """The content with spaces behind it, up to the next whole `step`: who listens tells no two apart."""
    return content.ljust(-(-len(content) // step) * step)
