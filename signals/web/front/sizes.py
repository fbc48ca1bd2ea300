"""Answers of one size: TLS hides the content, not the length."""

JSON_STEP = 512
"""Bytes; an answer with any state of a receipt or any receiver fits in one step."""
PAGE_STEP = 8192
"""Bytes; the pages of a sent report and of its progress fit in one step, in every language."""


def of_one_size(content: bytes, step: int) -> bytes:
    """Return the content with spaces up to the next whole `step`: an eavesdropper tells no two apart."""
    return content.ljust(-(-len(content) // step) * step)
