"""Limit in PostgreSQL which rows the role of the desk sees and writes.

The desk names the caller's organisation in every transaction (`signals.db.set_local`): `organisation` and
`staff`. Some acts need more: `towards` (an organisation that receives) and `subject` (ids of signals, with
commas). A fence holds against a forgotten WHERE. It does not hold against free SQL as the desk, which could
name any organisation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Fence:
    """Conditions on rows for the desk: seen, written (as they will be), changed or deleted (as they are)."""

    seen: str
    written: str
    changed: str = "false"


_ORGANISATION: Final = "nullif(current_setting('signals.organisation', true), '')::uuid"
_TOWARDS: Final = "nullif(current_setting('signals.towards', true), '')::uuid"
_STAFF: Final = "nullif(current_setting('signals.staff', true), '')::uuid"
_SUBJECT: Final = "ANY (string_to_array(nullif(current_setting('signals.subject', true), ''), ',')::uuid[])"
_OWN: Final = f"organisation_id = {_ORGANISATION}"

OF_ADMINISTRATION: Final = (
    "staff_changed", "organisation_changed", "coverage_changed", "keys_changed", "comparison_changed",
    "approval_asked", "approval_decided", "audit_pruned",
)  # fmt: skip
"""Entries of the trail that administrators read, of any organisation: never who looked at which signal."""


def _is_administrator() -> str:
    """Return the condition that the named staff member is an active administrator, by the table."""
    whether = f"a.id = {_STAFF} AND a.role = 'administrator' AND a.disabled_at IS NULL"
    return f"EXISTS (SELECT FROM public.staff_members AS a WHERE {whether})"


def _erased_after_referral(signal_id: str) -> str:
    """Return the condition for a subject that the organisation referred: erasure follows it (art. 19 AVG).

    Taking a handover back follows it too.
    """
    whether = (
        f"r.signal_id = {signal_id} AND r.from_organisation_id = {_ORGANISATION} AND r.reason <> 'take_back'"
    )
    return f"({signal_id} = {_SUBJECT} AND EXISTS (SELECT FROM public.referrals AS r WHERE {whether}))"


def _of_signal(table: str) -> str:
    """Return the condition for rows of an own signal, of one in a handover, or of one to erase."""
    whose = f"s.organisation_id IN ({_ORGANISATION}, {_TOWARDS}) OR {_erased_after_referral('s.id')}"
    return f"EXISTS (SELECT FROM public.signals AS s WHERE s.id = {table}.signal_id AND ({whose}))"


def _handed_over(signal_id: str) -> str:
    return f"(organisation_id = {_TOWARDS} AND {signal_id} = {_SUBJECT})"


_OWN_MESSAGE: Final = (
    f"organisation_id IN ({_ORGANISATION}, {_TOWARDS}) OR subject_id = {_SUBJECT}"
    f" OR (organisation_id IS NULL AND subject_id = {_STAFF})"
)
_MESSAGE_TRIED: Final = "SELECT FROM public.outbox_messages AS m WHERE m.id = delivery_attempts.message_id"
_ERASED_LINK: Final = _erased_after_referral("address_links.signal_id")

_SECOND: Final = f"(by_administrators AND asked_by_id <> {_STAFF} AND {_is_administrator()})"

FENCES: Final[Mapping[str, Fence]] = {
    # A single foreign signal is seen when it is the subject: on a referral, PostgreSQL asks that the changed
    # row can still be seen; and the audit tells a foreign id from one that never was.
    "signals": Fence(
        seen=f"{_OWN} OR id = {_SUBJECT}",
        changed=f"{_OWN} OR {_erased_after_referral('signals.id')}",
        written=f"{_OWN} OR {_handed_over('id')}",
    ),
    # An undone change takes its own entries away.
    **{
        table: Fence(seen=_of_signal(table), changed=_of_signal(table), written=_of_signal(table))
        for table in ("contact_attempts", "follow_up_notes", "status_changes")
    },
    # The receiver's links are seen during a referral: is it a repeat over there?
    "address_links": Fence(
        seen=f"organisation_id IN ({_ORGANISATION}, {_TOWARDS}) OR {_ERASED_LINK}",
        changed=f"{_OWN} OR {_ERASED_LINK}",
        written=f"{_OWN} OR {_handed_over('signal_id')}",
    ),
    # During a referral the receiver's systems hear of it.
    "connections": Fence(
        seen=f"organisation_id IN ({_ORGANISATION}, {_TOWARDS})", changed=_OWN, written=_OWN
    ),
    "referrals": Fence(
        seen=f"{_ORGANISATION} IN (from_organisation_id, to_organisation_id)",
        changed=f"from_organisation_id = {_ORGANISATION}",
        # A sender that takes a handover back writes that the signal came from the receiver.
        written=f"from_organisation_id = {_ORGANISATION}"
        f" OR (to_organisation_id = {_ORGANISATION} AND reason = 'take_back' AND signal_id = {_SUBJECT})",
    ),
    "deletion_records": Fence(
        seen=_OWN, changed=_OWN, written=f"{_OWN} OR {_erased_after_referral('deletion_records.signal_id')}"
    ),
    "deletion_orders": Fence(seen=_OWN, written=_OWN),
    "comparison_teams": Fence(seen=_OWN, changed=_OWN, written=_OWN),
    "comparison_draws": Fence(
        seen=_of_signal("comparison_draws"),
        changed=_of_signal("comparison_draws"),
        written=_of_signal("comparison_draws"),
    ),
    "organisation_years": Fence(seen=_OWN, written="false"),
    "retention_periods": Fence(seen=_OWN, changed=_OWN, written=_OWN),
    "register_entries": Fence(seen=_OWN, written=_OWN),
    "absences": Fence(seen=_OWN, changed=_OWN, written=_OWN),
    # An administrator, who has no organisation, asks. The organisation decides, or another administrator. Who
    # agrees may pass a request about an area on to the next organisation.
    "approvals": Fence(
        seen=f"{_OWN} OR {_is_administrator()}",
        changed=f"{_OWN} OR {_SECOND}",
        written=f"{_OWN} OR asked_by_id = {_STAFF} OR organisation_id = {_TOWARDS} OR {_SECOND}",
    ),
    # Whoever signs in or manages staff may be of no organisation or of another one. Alarms are for all.
    "audit_entries": Fence(
        seen=f"{_OWN} OR action = 'row_refused' OR (action IN {OF_ADMINISTRATION} AND {_is_administrator()})",
        written="true",
    ),
    "outbox_messages": Fence(
        seen=_OWN_MESSAGE, changed=f"{_OWN} OR subject_id = {_SUBJECT}", written=_OWN_MESSAGE
    ),
    "delivery_attempts": Fence(
        seen=f"EXISTS ({_MESSAGE_TRIED})",
        changed=f"EXISTS ({_MESSAGE_TRIED} AND (m.{_OWN} OR m.subject_id = {_SUBJECT}))",
        written="false",
    ),
}
"""The tables under row-level security. The worker sees every row; the owner none, unless it is said:
`SET LOCAL signals.maintenance = 'on'` in a migration that rewrites rows."""
