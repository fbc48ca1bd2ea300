"""The blueprints of each part of an installation, by name: a role imports its own only."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flask import Blueprint

PUBLIC_CALLS: Final = ("front.api:public_api",)
PUBLIC_PAGES: Final = ("front.pages:front_pages",)
FIGURE_CALLS: Final = ("figures.api:figures_api",)
FIGURE_PAGES: Final = (
    "figures.pages:figure_pages",
    "figures.comparison_pages:comparison_pages",
    "figures.open_data:open_data",
)
ISSUER_PAGES: Final = ("issuer.calls:issuer_calls", "issuer.pages:issuer_pages")
STAFF_CALLS: Final = (
    "desk.api:staff_api",
    "desk.letters.api:letter_api",
    "desk.handover_api:handover_api",
    "desk.referral_api:referral_api",
    "officer.api:officer_api",
    "team.api:team_api",
    "admin.api:admin_api",
    "team.limit_api:limit_api",
    "admin.channel_api:channel_api",
)
STAFF_PAGES: Final = (
    "account.sign_in_pages:sign_in_pages",
    "account.link_pages:link_pages",
    "account.printed_pages:printed_pages",
    "account.provider_pages:provider_pages",
    "account.pages:account_pages",
    "admin.pages:admin_pages",
    "admin.approval_pages:approval_pages",
    "admin.import_pages:import_pages",
    "admin.provider_pages:provider_admin",
    "admin.channel_pages:channel_admin",
    "desk.pages:desk_pages",
    "desk.outbox_pages:outbox_pages",
    "desk.search_pages:search_pages",
    "desk.round_pages:round_pages",
    "desk.letters.pages:letter_pages",
    "desk.referral_pages:referral_pages",
    "desk.handover_pages:handover_pages",
    "team.members_pages:team_pages",
    "team.first_pages:first_pages",
    "team.settings_pages:settings_pages",
    "team.system_pages:system_pages",
    "team.absence_pages:absence_pages",
    "team.verification_pages:channel_pages",
    "team.escalation_pages:escalation_pages",
    "team.limit_pages:limit_pages",
    "officer.pages:officer_pages",
    "officer.rights_pages:rights_pages",
)
"""The blueprints of each part, in `signals.web`."""


def blueprints(names: Iterable[str]) -> "list[Blueprint]":
    """Import blueprints; Flask too, which no command needs."""
    from werkzeug.utils import import_string

    return [import_string(f"signals.web.{name}") for name in names]
