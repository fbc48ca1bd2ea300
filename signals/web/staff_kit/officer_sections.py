"""The links that every page of the privacy officer shows, and the page about approvals too."""

from flask_babel import gettext


def officer_sections() -> list[tuple[str, str]]:
    """Return the endpoint and the words of each part."""
    return [
        ("officer_pages.overview", gettext("Overview")),
        ("rights_pages.residents", gettext("Rights of residents")),
        ("officer_pages.register", gettext("Register")),
        ("officer_pages.audit", gettext("Audit trail")),
        ("officer_pages.retention", gettext("Keeping and deleting")),
        ("approval_pages.approvals", gettext("Approvals")),
    ]
