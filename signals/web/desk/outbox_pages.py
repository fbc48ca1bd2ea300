"""Take contact attempts that a phone kept in a stairwell, and give the phone what it needs for that.

A form that finds no network is sealed in the browser for its writer, and sent when there is a network. The
phone cannot read what it keeps: only the server opens it, in a session of its writer.
"""

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError

from signals.casework import record_attempt
from signals.casework.access import FOLLOW_UP_ROLES
from signals.errors import Conflict, Invalid, NotFound
from signals.web.bundles import without_comments
from signals.web.desk.changes import change_signal
from signals.web.desk.signal_page import explain_unopened
from signals.web.staff_kit import account_shared, auth, display, forms
from signals.web.staff_kit.auth import csrf_field, open_to_all, own_mark, requires_page
from signals.web.staff_kit.context import desk
from signals.web.staff_kit.typed import Typed

outbox_pages = Blueprint("outbox", __name__, url_prefix="/desk")
account_shared.share_with(outbox_pages)

AUTHENTICATION = "cookie"

_FORM: Final = "contact-attempts"
_PATH: Final = re.compile(rf"/desk/signals/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})/{_FORM}")


@outbox_pages.get("/sw.js")
@open_to_all
def service_worker() -> Response:
    """Give the service worker, which answers for the desk's pages when there is no network."""
    scripts = [url_for("bundle", name="outbox.js"), url_for("static", filename="vendor/hpke.js")]
    files = [url_for("bundle", name=name) for name in ("page.css", "waiting.js")]
    version = hashlib.sha256(offline().encode()).hexdigest()[:16]
    facts = {"VERSION": version, "SCRIPTS": scripts, "PAGE": url_for("outbox.offline"), "FILES": files}
    lines = [f"const {name} = {json.dumps(value)};" for name, value in facts.items()]
    script = Path(str(current_app.static_folder)) / "desk_sw.js"
    lines.append(without_comments(script.read_bytes()).decode())
    headers = {"Service-Worker-Allowed": "/desk", "Cache-Control": "no-cache"}
    return Response("\n".join(lines), headers=headers, content_type="text/javascript; charset=utf-8")


@outbox_pages.get("/offline")
@open_to_all
def offline() -> str:
    """Show that there is no network: the only page of the desk that a phone keeps."""
    auth.recognise()
    return render_template("desk/offline.html")


@outbox_pages.get("/outbox")
@requires_page(*FOLLOW_UP_ROLES, active=False)
def writer() -> dict[str, str]:
    """Tell the phone whose attempts this session can send, and give the CSRF field for it."""
    return {"writer": own_mark(), "csrf": csrf_field()}


@outbox_pages.post("/outbox")
@requires_page(*FOLLOW_UP_ROLES)
def take() -> tuple[dict[str, Any], int]:
    """Record an attempt that waited: 201, or 409 with the reason and the attempt in words.

    It names no version of the signal. Only its state can refuse what happened at a door.
    """
    kept = _opened(request.form.get("sealed", ""))
    found = _PATH.fullmatch(kept.path) if kept else None
    if kept is None or found is None:
        return {"why": gettext("Nobody can read this attempt any more. Note it again."), "shown": []}, 409
    minutes = request.form.get("minutes_ago", "")
    try:
        values = forms.load(forms.FORMS[_FORM], dict(kept.fields) | {"minutes_ago": minutes})
        change_signal(UUID(found[1]), record_attempt, values, version=None)
    except (ValidationError, Invalid, Conflict, NotFound) as refused:
        return {"why": _why(refused), "shown": [*kept.shown, _noted(minutes)], "page": kept.page}, 409
    return {"saved": True}, 201


def _opened(sealed: str) -> Typed | None:
    """Return the form that a phone sealed for the signed-in person; None for any other."""
    text = desk().browser_state.open_from_outbox(sealed, whose=own_mark())
    try:
        path, fields = json.loads(text or b"")
        return Typed(path=str(path), fields=tuple((str(name), str(value)) for name, value in fields))
    except (ValueError, TypeError):
        return None


def _why(refused: ValidationError | Invalid | Conflict | NotFound) -> str:
    wrong = " ".join(forms.messages(refused).values())
    return wrong if isinstance(refused, ValidationError) else wrong or explain_unopened(refused)


def _noted(minutes: str) -> tuple[str, str]:
    ago = timedelta(minutes=int(minutes)) if re.fullmatch("[0-9]{1,5}", minutes) else timedelta()
    return gettext("Noted at"), display.moment(desk().clock.now() - ago)
