"""The link in a mailed invitation."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from notifications.models import OutboxMessage
from signals.notices.channels import complete
from tests.browser.desk import Site

NEW, PASSWORD = "noor@example.org", "zeven groene fietsen"


def mailed_link(site: Site) -> str:
    """Return the path and the fragment of the link that the worker mails."""
    with Session(site.desk.engine) as session:
        message = session.scalars(select(OutboxMessage).where(OutboxMessage.recipient == NEW)).one()
        values = complete(site.desk.keystore, message.event, message.subject_id, message.values)
    parts = urlsplit(values["link"])
    return f"{parts.path}#{parts.fragment}"
