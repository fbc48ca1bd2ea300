"""The readers of released figures: coordinators, and everybody where `figures.public` is on."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request

from signals.errors import NotSignedIn
from signals.vocabulary import STAFF_LANGUAGES, Role
from signals.web.figures.context import figures
from signals.web.http.authentication import Authentication

View = TypeVar("View", bound=Callable[..., Any])


def for_readers(means: str, *roles: Role) -> Callable[[View], View]:
    """Admit one of the roles only, unless figures are public; `means` is "cookie" or "bearer".

    Raises `NotSignedIn` and `Forbidden`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def admitted(*args: Any, **kwargs: Any) -> Any:
            _let_in(means, roles)
            _choose_language()
            return view(*args, **kwargs)

        admitted.authentication = Authentication(means=means, roles=roles)  # type: ignore[attr-defined]
        return admitted  # type: ignore[return-value]

    return decorate


def _let_in(means: str, roles: tuple[Role, ...]) -> None:
    context = figures()
    if context.doorkeeper is None:
        if not context.public:
            raise NotSignedIn
    elif not context.public:
        context.doorkeeper.admit(means, roles)
    elif means == "cookie":
        context.doorkeeper.recognise()


def _choose_language() -> None:
    """Prefer `?lang=en` of the language switch to the reader's own setting."""
    chosen = request.args.get("lang")
    if chosen in STAFF_LANGUAGES:
        g.language = chosen
