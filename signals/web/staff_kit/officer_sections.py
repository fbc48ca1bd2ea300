"""The links that every page of the privacy officer shows, and the page about approvals too."""

from flask_babel import gettext

from signals.vocabulary import Role
from signals.web.staff_kit.auth import current


def officer_sections() -> list[tuple[str, str]]:
    """Return the endpoint and the words of each part; none for a lead, whose pages have the team's."""
    if current().actor.role != Role.PRIVACY_OFFICER:
        return []
    return [
        ("officer_pages.overview", gettext("Overview")),
        ("rights_pages.residents", gettext("Rights of residents")),
        ("officer_pages.register", gettext("Register")),
        ("officer_pages.audit", gettext("Audit trail")),
        ("officer_pages.retention", gettext("Keeping and deleting")),
        ("approval_pages.approvals", gettext("Approvals")),
        ("system_pages.overview", gettext("Connected systems")),
    ]
