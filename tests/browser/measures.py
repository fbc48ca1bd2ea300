"""Sizes of small screens and of thumbs."""

from playwright.sync_api import Locator

NARROW = {"width": 320, "height": 640}
"""What is left of 1280 pixels at 400%, and less than of 640 at 200% (WCAG 1.4.10)."""


THUMB = 48


def boxes(found: Locator) -> list[dict[str, float]]:
    return [box for one in found.all() if (box := one.bounding_box()) is not None]  # type: ignore[misc]
