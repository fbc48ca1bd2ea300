"""Parts that pages of figures and open data share: readers, languages, links, and refusals."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask_babel import gettext

from signals.errors import FieldProblem, Invalid, NotFound, NotSignedIn
from signals.vocabulary import STAFF_LANGUAGES, Role
from signals.web.figures import words
from signals.web.figures.context import figures
from signals.web.http.authentication import Authentication
from signals.web.http.i18n import staff_language
from signals.web.http.messages import detail_of, title_of

READERS: Final = (Role.COORDINATOR, Role.LEAD, Role.ADMINISTRATOR)


def share_with(blueprint: Blueprint) -> None:
    """Give a blueprint the words of the pages, and their refusals."""
    blueprint.before_request(refuse_questions)
    blueprint.register_error_handler(NotSignedIn, ask_to_sign_in)
    blueprint.context_processor(shared)


def refuse_questions() -> None:
    """Raise `Invalid` for an unknown parameter; choose the browser's language until the reader is known."""
    if set(request.args) - {"lang"}:
        raise Invalid(FieldProblem(field="", code="unknown_field"))
    g.language = staff_language()


def ask_to_sign_in(refused: NotSignedIn) -> Any:
    """Redirect to the desk's form and back; raise `NotFound` in a process without a desk."""
    if figures().doorkeeper is None:
        raise NotFound from refused
    return redirect(url_for("sign_in.sign_in", next=request.path), 303)


def not_found(refused: NotFound) -> tuple[str, int]:
    """Answer with a page of the figures that links to all releases."""
    page = render_template(
        "figures/not_found.html", title=title_of(refused.code), detail=detail_of(refused.code)
    )
    return page, refused.status


def shared() -> dict[str, Any]:
    """Return the names for the templates."""
    caller, keeper = g.get("caller"), figures().doorkeeper
    return {
        "code": words.language(),
        "me": caller.member if caller else None,
        "csrf": keeper.csrf_field() if keeper and caller else "",
        "link": link,
        "here": here,
        "parts": _parts,
        "words": words,
    }


def link(endpoint: str, **values: Any) -> str:
    """Return the address of a page, in the language of the switch."""
    chosen = request.args.get("lang")
    if chosen in STAFF_LANGUAGES:
        values["lang"] = chosen
    return url_for(endpoint, **values)


def here(language: str) -> str:
    """Return the address of this page in another language."""
    values: dict[str, Any] = {**(request.view_args or {}), **request.args, "lang": language}
    return url_for(request.endpoint or "figures.overview", **values)


def _parts() -> list[tuple[str, str]]:
    return [
        ("figures.overview", gettext("Overview")),
        ("figures.releases", gettext("All releases")),
        ("comparisons.overview", gettext("Comparisons")),
        ("figures.method", gettext("Method and open data")),
    ]


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
