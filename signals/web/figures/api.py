"""Released figures for programs. The API computes nothing on demand: it knows released tables only."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response

from signals.statistics.exports import Shown, as_csv
from signals.vocabulary import Role
from signals.web.figures import words
from signals.web.figures.answer import CSV, keep, kept
from signals.web.figures.library import library
from signals.web.figures.long_form import ReleasesSchema, TableSchema
from signals.web.figures.sharing import for_readers
from signals.web.http.fields import Strict
from signals.web.http.openapi import API_BASE, PublicBlueprint, answers
from signals.web.http.preconditions import ETAG, IF_NONE_MATCH, prefers

figures_api = PublicBlueprint(
    "figures_api", __name__, url_prefix=f"{API_BASE}/statistics", description="Released figures"
)

AUTHENTICATION = "bearer"
"""Every view here asks for this, unless figures are public."""

figures_api.after_request(keep)

_TOKEN: Final[list[dict[str, list[str]]]] = [{}, {"token": []}]
_ALSO_CSV: Final = {"responses": {200: {"content": {CSV: {"schema": {"type": "string"}}}}}}


class NoQuery(Strict):
    """No parameters: a release is all there is."""


@figures_api.get("/releases")
@figures_api.doc(security=_TOKEN, parameters=[IF_NONE_MATCH])
@for_readers("bearer", Role.COORDINATOR)
@figures_api.arguments(NoQuery, location="query", unknown="raise")
@figures_api.response(200, ReleasesSchema, headers=ETAG)
@answers(304, 401, 403, 503)
def releases(_nothing: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the releases, newest first: quarters, years, then pooled years."""
    with library() as found:
        return {"items": found.releases}


@figures_api.get("/releases/<period>/tables/<table>")
@figures_api.doc(security=_TOKEN, parameters=[IF_NONE_MATCH], **_ALSO_CSV)
@for_readers("bearer", Role.COORDINATOR)
@figures_api.arguments(NoQuery, location="query", unknown="raise")
@figures_api.response(200, TableSchema, headers=ETAG)
@answers(304, 401, 403, 404, 503)
def table(_nothing: Mapping[str, Any], period: str, table: str) -> tuple[Any, int, Mapping[str, str]]:
    """Give a released table as JSON, or as CSV to a reader that prefers it or adds `.csv` to the name."""
    code = table.removesuffix(".csv")
    with library() as found:
        wanted = found.shown_table(period, code)
    answer = _csv(wanted) if code != table or prefers(CSV) else None
    return answer or wanted, answer.status_code if answer else 200, {"Vary": "Accept"}


def _csv(wanted: Shown) -> Response:
    table, _fitted = wanted
    return kept(as_csv([wanted], words.member), CSV, name=f"{table.period}-{table.code}.csv")
