"""Say for each column of the resident where the export of art. 15 AVG holds it, or why it does not."""

from collections.abc import Mapping
from typing import Final

IN_THE_EXPORT: Final[Mapping[str, str]] = {
    **{
        f"signals.{name}": name
        for name in (
            "reference", "state", "received_on", "unrouted", "outside_area", "repeat", "urgent", "claim_by",
            "contact_by",
            "conclude_by", "due_on", "postponed_until", "first_contact_at", "concluded_at", "outcome",
            "referred_to", "newly_known", "notified_on", "deferred_because", "letter_printed_on",
            "wmo_notified_on", "restricted_on", "filed_on",
        )
    },
    "signals.team_notified": "team_told",
    "contact_attempts.kind": "contact_attempts/kind",
    "contact_attempts.result": "contact_attempts/result",
    "contact_attempts.attempted_at": "contact_attempts/at",
    "contact_attempts.workers": "contact_attempts/workers",
    "contact_attempts.postponed_until": "contact_attempts/agreed_for",
    "status_changes.action": "history/action",
    "status_changes.before": "history/before",
    "status_changes.after": "history/after",
    "status_changes.changed_on": "history/on",
    "status_changes.reason": "history/reason",
    "status_changes.day": "history/day",
}  # fmt: skip
"""Columns, and their places in an exported signal."""

OPENED: Final = {
    "signals.content": {"address", "noticed_on", "note"},
    "signals.summary": {"concern_types", "seen"},
    "follow_up_notes.sealed_text": {"follow_up_notes", "corrected_notes"},
    "comparison_draws.sealed": {"drawn_order"},
    "audit_entries.subject_id": {"accesses"},
}
"""Sealed columns, and the fields of the export that come from them."""

BESIDE_THE_SIGNALS: Final = {
    "signals.organisation_id": "organisation",
    "address_links.received_on": "earlier_signals",
    "address_links.outcome_group": "earlier_signals",
    "referrals.reference": "referred",
    "referrals.to_organisation_id": "referred",
    "referrals.referred_on": "referred",
    "referrals.reason": "referred",
}

NUMBER: Final = "a number of the software's own that ties rows together; the reference says the same"
PSEUDONYM: Final = "made of the address with a key; secret, for it leads to the address"
MAILBOX: Final = "not yet a signal, and sealed: nobody can find it by an address; days at most"
NO_ADDRESS: Final = "nothing in it leads to an address or a person any more"
MESSAGE: Final = "a link to the desk and a date, sent to the team; `team_told` says that it was"
FIGURES: Final = "without number and address: nobody can find it by an address"
OF_THE_STATE: Final = "what the carrier may know, made of the state, which is in the export"
LEFT_OUT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("signals.id", "signals.case_key_id", "contact_attempts.signal_id"), NUMBER),
    **dict.fromkeys(("follow_up_notes.signal_id", "status_changes.signal_id"), NUMBER),
    **dict.fromkeys(("address_links.signal_id", "address_links.organisation_id"), NUMBER),
    **dict.fromkeys(("comparison_draws.signal_id", "comparison_draws.organisation_id"), NUMBER),
    **dict.fromkeys(("referrals.signal_id", "referrals.from_organisation_id", "referrals.sequence"), NUMBER),
    **dict.fromkeys(("referrals.old_case_key_id", "referrals.key_destroyed_on"), NUMBER),
    **dict.fromkeys(("address_links.quarter", "address_links.pseudonym"), PSEUDONYM),
    "address_links.house_pseudonym": PSEUDONYM,
    "signals.pending_from_id": "opening the signal for the export ends it; the history shows the handover",
    "signals.undo": "the values before the last change, which the history holds",
}
LEFT_OUT_TABLES: Final[Mapping[str, str]] = {
    "idempotency_keys": MAILBOX,
    "sealed_reports": MAILBOX,
    "receipts": OF_THE_STATE,
    "deletion_orders": "gone with the signal within a minute",
    "deletion_records": NO_ADDRESS,
    "register_entries": NO_ADDRESS,
    "signal_facts": FIGURES,
    "organisation_years": FIGURES,
    "outbox_messages": MESSAGE,
    "delivery_attempts": MESSAGE,
    "delivery_callbacks": MESSAGE,
    "delivery_figures": MESSAGE,
    "posted_letters": MESSAGE,
    "case_keys": NUMBER,
}
