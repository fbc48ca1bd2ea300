"""The issuer that these pages and calls work with; the composition root puts it on the application."""

from typing import cast

from flask import current_app

from signals.issuer.service import Issuer

EXTENSION = "signals.issuer"


def issuer() -> Issuer:
    """Return the issuer of the current application."""
    return cast(Issuer, current_app.extensions[EXTENSION])
