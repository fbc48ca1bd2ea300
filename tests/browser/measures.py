"""Sizes of small screens and of thumbs, and what axe finds in both themes."""

from collections.abc import Iterator, Mapping
from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page

NARROW = {"width": 320, "height": 640}
"""What is left of 1280 pixels at 400%, and less than of 640 at 200% (WCAG 1.4.10)."""

THUMB = 48

COLOURS = ("color-contrast", "link-in-text-block")
"""The rules of axe that look at colours."""
ONLY_WRONG = {"resultTypes": ["violations"]}
"""Leave out what axe says of all that is right: to describe each element took half of its time."""


def boxes(found: Locator) -> list[dict[str, float]]:
    return [box for one in found.all() if (box := one.bounding_box()) is not None]  # type: ignore[misc]


def in_both_themes(page: Page, rules: Mapping[str, Any] | None = None) -> Iterator[tuple[str, Any]]:
    """Give (theme, what axe finds) and leave the page light; without motion no colour is between two.

    The themes differ in their colours only (`tokens.css`): dark, only the rules about colours have work.
    Forced colours replace both themes by the palette of the system: there one look is enough.
    """
    if not page.evaluate("matchMedia('(forced-colors: active)').matches"):
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        yield "dark", Axe().run(page, options=ONLY_WRONG | {"runOnly": [*COLOURS, *(rules or {})]})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    yield "light", Axe().run(page, options=ONLY_WRONG | {"rules": dict(rules or {})})
