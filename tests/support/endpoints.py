"""List the roles that reach each call and page: the attack tests walk through this table."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import select
from werkzeug.routing import Rule

from signals.db import session_factory
from signals.models import StaffMember
from signals.staff.sessions import open_session
from signals.vocabulary import Role
from signals.web.staff_kit.auth import Authentication
from tests.support.desk_side import Desk

LETTERS: Final = {
    "W": Role.WORKER,
    "L": Role.LEAD,
    "C": Role.COORDINATOR,
    "A": Role.ADMINISTRATOR,
    "P": Role.PRIVACY_OFFICER,
}


PEOPLE: Final = {"W": "anna", "L": "lena", "C": "coen", "A": "bea", "P": "fleur"}


ROWS: Final = """
GET / -
POST / -
GET /m -
POST /m -
GET /voortgang -
GET /gezien -
GET /privacy -
GET /toegankelijkheid -
POST /voortgang -
GET /sw.js -
GET /.well-known/assets.json -
GET /manifest.webmanifest -
GET /docs -
GET /favicon.ico -
GET /static/<path:filename> -
GET /static/bundles/<name> -
GET /healthz -
GET /.well-known/private-token-issuer-directory -
POST /token-request -
GET /issuer/ -
POST /issuer/sign-in -
POST /issuer/sign-out -
POST /issuer/codes -
POST /issuer/codes/<uuid:code_id>/revoke -
POST /issuer/sheet -
GET /readyz -
GET /metrics -
GET /api/v1/openapi.json -
GET /api/v1/form -
POST /api/v1/coverage/lookup -
POST /api/v1/mailboxes/lookup -
POST /api/v1/signals -
POST /api/v1/receipts/status -
POST /api/v1/sessions -
DELETE /api/v1/sessions/current WLCAP
GET /api/v1/me WLCAP
GET /api/v1/queue WL
POST /api/v1/rounds WL
POST /api/v1/search WL
GET /api/v1/signals/<uuid:signal_id> WL
POST /api/v1/signals/<uuid:signal_id>/claim WL
POST /api/v1/signals/<uuid:signal_id>/release WL
POST /api/v1/signals/<uuid:signal_id>/reopen WL
POST /api/v1/signals/<uuid:signal_id>/undo WL
POST /api/v1/signals/<uuid:signal_id>/contact-attempts WL
POST /api/v1/signals/<uuid:signal_id>/notes WL
POST /api/v1/signals/<uuid:signal_id>/conclude WL
POST /api/v1/signals/<uuid:signal_id>/notice WL
POST /api/v1/signals/<uuid:signal_id>/wmo-notification WL
GET /api/v1/signals/<uuid:signal_id>/receivers WL
POST /api/v1/signals/<uuid:signal_id>/refer WL
POST /api/v1/signals/<uuid:signal_id>/take-back WL
GET /api/v1/signals/<uuid:signal_id>/notice.pdf WL
GET /api/v1/signals/<uuid:signal_id>/handover.json WL
GET /api/v1/signals/<uuid:signal_id>/handover.pdf WL
POST /api/v1/residents/search P
POST /api/v1/residents/export P
POST /api/v1/residents/erase P
POST /api/v1/residents/rectify P
POST /api/v1/residents/restrict P
GET /api/v1/residents/register P
GET /api/v1/audit P
GET /api/v1/retention P
PUT /api/v1/retention/periods P
GET /api/v1/statistics/releases C
GET /api/v1/statistics/releases/<period>/tables/<table> C
GET /api/v1/organisations WLA
POST /api/v1/organisations A
PATCH /api/v1/organisations/<uuid:organisation_id> A
GET /api/v1/organisations/<uuid:organisation_id>/settings LA
PATCH /api/v1/organisations/<uuid:organisation_id>/settings LA
POST /api/v1/organisations/<uuid:organisation_id>/settings/ask-again LA
GET /api/v1/team/colleagues WL
GET /api/v1/team/absences WL
POST /api/v1/team/absences WL
DELETE /api/v1/team/absences/<uuid:absence_id> WL
GET /api/v1/coverage A
POST /api/v1/coverage A
PATCH /api/v1/coverage/<uuid:area_id> A
GET /api/v1/coverage/check A
GET /api/v1/staff LPA
POST /api/v1/staff LA
POST /api/v1/staff/<uuid:member_id>/disable LA
POST /api/v1/staff/<uuid:member_id>/role L
POST /api/v1/staff/<uuid:member_id>/reset LA
GET /api/v1/approvals LPA
GET /api/v1/limits LA
GET /api/v1/delivery A
GET /api/v1/delivery/dead-letters A
POST /api/v1/delivery/dead-letters/again A
POST /api/v1/delivery/dead-letters/<uuid:message_id>/again A
POST /api/v1/delivery/dead-letters/<uuid:message_id>/drop A
POST /api/v1/limits/<uuid:area_day_id>/raise LA
POST /api/v1/approvals/<uuid:approval_id>/approve LPA
POST /api/v1/approvals/<uuid:approval_id>/decline LPA
GET /desk WLCAP
GET /desk/news WL
GET /desk/ WLCAP
GET /desk/first L
POST /desk/first/<task> L
GET /desk/sign-in -
POST /desk/sign-in -
GET /desk/passkey/options -
POST /desk/passkey/sign-in -
POST /desk/provider/start -
GET /desk/provider/<uuid:organisation_id>/callback -
POST /desk/provider/code -
POST /desk/provider/<uuid:organisation_id>/logout -
GET /desk/printed-code -
POST /desk/printed-code -
GET /desk/account/link -
POST /desk/account/link -
POST /desk/account/link/use -
POST /desk/sign-out WLCAP
GET /desk/account WLCAP
GET /desk/account/confirm WLCAP
POST /desk/account/confirm WLCAP
GET /desk/account/confirm/options WLCAP
POST /desk/account/confirm/passkey WLCAP
POST /desk/account/password WLCAP
POST /desk/account/authenticator WLCAP
POST /desk/account/language WLCAP
POST /desk/account/printed-code L
GET /desk/account/passkeys/options WLCAP
POST /desk/account/passkeys WLCAP
POST /desk/account/passkeys/<uuid:passkey_id>/rename WLCAP
POST /desk/account/passkeys/<uuid:passkey_id>/remove WLCAP
POST /desk/account/sessions/<uuid:session_id>/end WLCAP
GET /desk/signals/<uuid:signal_id> WL
POST /desk/signals/<uuid:signal_id>/claim WL
POST /desk/signals/<uuid:signal_id>/release WL
POST /desk/signals/<uuid:signal_id>/reopen WL
POST /desk/signals/<uuid:signal_id>/contact-attempts WL
GET /desk/sw.js -
GET /desk/offline -
GET /desk/outbox WL
POST /desk/outbox WL
POST /desk/signals/<uuid:signal_id>/notes WL
POST /desk/signals/<uuid:signal_id>/conclude WL
POST /desk/signals/<uuid:signal_id>/undo WL
POST /desk/signals/<uuid:signal_id>/next-day WL
POST /desk/signals/<uuid:signal_id>/correct-note WL
POST /desk/signals/<uuid:signal_id>/correct-attempt WL
POST /desk/signals/<uuid:signal_id>/notice WL
POST /desk/signals/<uuid:signal_id>/wmo WL
POST /desk/signals/<uuid:signal_id>/urgent WL
GET /desk/signals/<uuid:signal_id>/refer WL
POST /desk/signals/<uuid:signal_id>/refer WL
GET /desk/signals/<uuid:signal_id>/handed-over WL
POST /desk/signals/<uuid:signal_id>/take-back WL
GET /desk/signals/<uuid:signal_id>/notice.pdf WL
GET /desk/signals/<uuid:signal_id>/card.pdf WL
GET /desk/card.pdf WL
GET /desk/signals/<uuid:signal_id>/handover.json WL
GET /desk/signals/<uuid:signal_id>/handover.pdf WL
POST /desk/signals/<uuid:signal_id>/reassign L
POST /desk/signals/<uuid:signal_id>/join WL
GET /desk/search WL
POST /desk/search WL
GET /desk/round WL
POST /desk/round WL
GET /desk/channel/drill/<uuid:drill_id>/<code> -
POST /desk/channel/drill/<uuid:drill_id>/<code> -
GET /desk/channel/<any(recipient,deputy):role>/<uuid:subject_id>/<address_code>/<valid_until>/<code> -
POST /desk/channel/<any(recipient,deputy):role>/<uuid:subject_id>/<address_code>/<valid_until>/<code> -
GET /desk/escalations/<uuid:organisation_id> L
GET /desk/deputy/<uuid:organisation_id> -
GET /desk/absence WL
POST /desk/absence WL
POST /desk/absence/<uuid:absence_id>/remove WL
GET /desk/settings L
POST /desk/settings/<part> L
GET /admin/organisations/<uuid:organisation_id>/settings A
POST /admin/organisations/<uuid:organisation_id>/settings/<part> A
GET /desk/systems LP
POST /desk/systems/<kind> L
POST /desk/systems/<kind>/disconnect LP
GET /desk/limits/<uuid:area_day_id> LA
POST /desk/limits/<uuid:area_day_id> LA
POST /desk/limits/<uuid:area_day_id>/bring-back L
POST /desk/limits/<uuid:area_day_id>/set-aside L
GET /desk/figures L
GET /desk/figures/<year>.pdf L
POST /desk/figures/comparisons/<code> L
GET /desk/team L
POST /desk/team/invite L
POST /desk/team/<uuid:member_id>/recover L
POST /desk/team/<uuid:member_id>/role L
POST /desk/team/<uuid:member_id>/disable L
POST /desk/team/<uuid:member_id>/reopen L
GET /desk/approvals LP
POST /desk/approvals/<uuid:approval_id>/approve LP
POST /desk/approvals/<uuid:approval_id>/decline LP
POST /desk/approvals/accounts/<uuid:staff_id> LP
GET /desk/officer P
GET /desk/officer/residents P
POST /desk/officer/residents P
POST /desk/officer/residents/export P
POST /desk/officer/residents/erase P
POST /desk/officer/residents/rectify P
POST /desk/officer/residents/restrict P
GET /desk/officer/register P
GET /desk/officer/audit P
GET /desk/officer/audit.csv P
GET /desk/officer/retention LP
POST /desk/officer/retention P
POST /desk/officer/retention/keep LP
POST /desk/officer/retention/unreadable/<uuid:signal_id> P
GET /figures LCA
GET /figures/releases LCA
GET /figures/releases/<period> LCA
GET /figures/releases/<period>/report.pdf LCA
GET /figures/method LCA
GET /figures/comparisons LCA
GET /figures/comparisons/<code> LCA
GET /figures/comparisons/new C
POST /figures/comparisons/new C
POST /figures/comparisons/<code>/stop C
GET /figures/open-data.xlsx LCA
GET /figures/open-data.zip LCA
GET /figures/open-data/<name> LCA
GET /admin A
GET /admin/approvals A
POST /admin/approvals/<uuid:approval_id>/approve A
POST /admin/approvals/<uuid:approval_id>/decline A
GET /admin/coverage A
GET /admin/messages A
POST /admin/messages/again A
POST /admin/messages/<uuid:message_id>/again A
POST /admin/messages/<uuid:message_id>/drop A
GET /admin/sheets A
GET /admin/sheets/<size>.pdf A
POST /admin/organisations A
GET /admin/organisations/import A
POST /admin/organisations/import A
GET /admin/organisations/<uuid:organisation_id> A
POST /admin/organisations/<uuid:organisation_id> A
POST /admin/organisations/<uuid:organisation_id>/coverage A
POST /admin/organisations/<uuid:organisation_id>/live A
GET /admin/organisations/<uuid:organisation_id>/provider A
POST /admin/organisations/<uuid:organisation_id>/provider A
POST /admin/organisations/<uuid:organisation_id>/staff A
POST /admin/organisations/<uuid:organisation_id>/staff/<uuid:member_id>/disable A
POST /admin/organisations/<uuid:organisation_id>/staff/<uuid:member_id>/reset A
"""


ALLOWED: Final[Mapping[tuple[str, str], str]] = {
    (method, rule): who for method, rule, who in (line.split() for line in ROWS.split("\n") if line)
}


ENDS_A_SESSION: Final = ("/api/v1/sessions/current", "/desk/sign-out")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method of one rule, as the application has it."""

    method: str
    rule: str
    asked: Authentication

    @property
    def is_api(self) -> bool:
        return self.rule.startswith("/api/")

    def path(self, ids: Mapping[str, UUID]) -> str:
        found = re.sub(r"<uuid:(\w+)>", lambda part: str(ids.get(part[1], uuid4())), self.rule)
        return f"{found}?receiving=true" if found == "/api/v1/organisations" else found


def endpoints(app: Flask) -> Iterator[Endpoint]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Endpoint(method=method, rule=rule.rule, asked=_asked(app, rule))


def of_staff(app: Flask) -> list[Endpoint]:
    """Return the endpoints that ask for a sign-in; endpoints that end a session come last."""
    found = [endpoint for endpoint in endpoints(app) if endpoint.asked.means != "none"]
    return sorted(found, key=lambda endpoint: endpoint.rule in ENDS_A_SESSION)


def _asked(app: Flask, rule: Rule) -> Authentication:
    nothing = Authentication(means="none")
    found: Authentication = getattr(app.view_functions[rule.endpoint], "authentication", nothing)
    return found


def _page_session(desk: Desk, who: str) -> str:
    with session_factory(desk.engine).begin() as session:
        member = session.scalars(select(StaffMember).where(StaffMember.email == f"{who}@example.org")).one()
        token, _opened = open_session(session, member, "page", desk.clock.now(), timedelta(hours=8))
    return token
