"""Fixtures of the tests of sign-in."""

from tests.support.provider_site import provider, site

__all__ = ["provider", "site"]
