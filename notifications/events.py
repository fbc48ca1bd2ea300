"""The events that messages are about, and the only values that a message may carry.

A message holds one date and a link. So no caller can add an address, an observation or a count by mistake.
One message also carries the signed head of the audit trail.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from urllib.parse import urlsplit


class Event(StrEnum):
    """An event that a recipient gets a message about; the value names its templates."""

    NEW_SIGNAL = "new_signal"  # to the team: a signal waits in the queue
    REMINDER = "reminder"  # to the team: a deadline is near
    MISSED_DEADLINE = "missed_deadline"  # to lead, deputy, service manager: a deadline passed
    ACCOUNT_CHANGED = "account_changed"  # to lead and privacy officer: a grant or a reset
    ORGANISATION_CHANGED = "organisation_changed"  # to both teams and administrators: who receives reports
    ACCOUNT_LINK = "account_link"  # to one member of staff: set up the account with this link
    CONTACT_REMINDER = "contact_reminder"  # to the team: nobody has tried to reach the resident
    CONCLUDE_REMINDER = "conclude_reminder"  # to the team: not concluded yet
    MISSED_CONTACT = "missed_contact"  # to lead, deputy, service manager: no attempt in time
    MISSED_CONCLUSION = "missed_conclusion"  # to the same: not concluded in time
    PRINTED_CODE = "printed_code"  # to a whole team: somebody printed or used the code of its local sign-in
    ACCOUNT_LINK_OPENED = "account_link_opened"  # to its owner: the mailed link was opened
    NEXT_CONTACT = "next_contact"  # to the team, then lead: the day of the next contact has come
    STAND_IN = "stand_in"  # to one member of staff: they stand in for an absent colleague
    UNCOVERED = "uncovered"  # to leads: a colleague with signals is absent and nobody stands in
    UNATTENDED = "unattended"  # to the same, at day 21: nobody claimed it
    NOTICE_REMINDER = "notice_reminder"  # to team, then lead: the month of art. 14 AVG runs out
    NOTHING_OPEN = "nothing_open"  # to a team without work, once a month
    DIGEST = "digest"  # to a team that chose it, each working day with work
    DRILL = "drill"  # to one recipient after another: prove that this reaches you
    DRILL_UNANSWERED = "drill_unanswered"  # to administrators
    ROUTING_SUSPENDED = "routing_suspended"  # to team, lead and administrators: two drills missed
    ROUTING_RESTORED = "routing_restored"  # to the same: a drill was answered
    RECIPIENT_CHECK = "recipient_check"  # to a new recipient: confirm the address
    DEPUTY_CHECK = "deputy_check"  # to a new deputy: confirm the address
    AREA_NEARLY_FULL = "area_nearly_full"  # to lead and administrators: the day's limit of reports is near
    AREA_FULL = "area_full"  # to the same: the limit is reached, reports are refused
    AREA_FLOOD = "area_flood"  # to the same: a tenth of the limit came within ten minutes
    FLOOD_SET_ASIDE = "flood_set_aside"  # to leads and administrators: reports are deleted after a week
    PERIOD_SHORTENED = "period_shortened"  # to leads and administrators: signals are soon kept more shortly
    OPENINGS_STOPPED = (
        "openings_stopped"  # to leads and privacy officers: a colleague opened very many signals
    )
    TRAIL_HEAD = (
        "trail_head"  # to administrators, daily: the signed head of the audit trail, to keep elsewhere
    )
    REPORTS_SET_ASIDE = "reports_set_aside"  # to administrators: several reports of one day did not open
    ROW_REFUSED = "row_refused"  # to administrators: somebody wrote a right into the database
    NOBODY_WORKS = "nobody_works"  # to administrators, from a desk: no worker takes reports or messages
    TEST_MESSAGE = "test_message"  # to the address that an administrator names
    CASE_HANDOVER = "case_handover"  # to the case system of the organisation: a signal that goes on there
    STATE_CHANGED = "state_changed"  # to another system of the organisation: the state of a signal


LANGUAGES = ("nl", "en")

DATES: Mapping[Event, str] = {
    Event.NEW_SIGNAL: "claim_by",
    Event.REMINDER: "due_on",
    Event.MISSED_DEADLINE: "due_on",
    Event.ACCOUNT_CHANGED: "changed_on",
    Event.ORGANISATION_CHANGED: "changed_on",
    Event.ACCOUNT_LINK: "valid_until",
    Event.CONTACT_REMINDER: "due_on",
    Event.CONCLUDE_REMINDER: "due_on",
    Event.MISSED_CONTACT: "due_on",
    Event.MISSED_CONCLUSION: "due_on",
    Event.PRINTED_CODE: "used_on",
    Event.ACCOUNT_LINK_OPENED: "opened_on",
    Event.NEXT_CONTACT: "planned_on",
    Event.STAND_IN: "away_until",
    Event.UNCOVERED: "away_until",
    Event.UNATTENDED: "deleted_on",
    Event.NOTICE_REMINDER: "notify_by",
    Event.NOTHING_OPEN: "checked_on",
    Event.DIGEST: "due_on",
    Event.DRILL: "answer_by",
    Event.DRILL_UNANSWERED: "sent_on",
    Event.ROUTING_SUSPENDED: "suspended_from",
    Event.ROUTING_RESTORED: "restored_on",
    Event.RECIPIENT_CHECK: "valid_until",
    Event.DEPUTY_CHECK: "valid_until",
    Event.AREA_NEARLY_FULL: "on_day",
    Event.AREA_FULL: "on_day",
    Event.AREA_FLOOD: "on_day",
    Event.FLOOD_SET_ASIDE: "deleted_on",
    Event.PERIOD_SHORTENED: "shorter_from",
    Event.OPENINGS_STOPPED: "stopped_on",
    Event.TRAIL_HEAD: "sent_on",
    Event.REPORTS_SET_ASIDE: "set_aside_on",
    Event.ROW_REFUSED: "found_on",
    Event.NOBODY_WORKS: "since_on",
    Event.TEST_MESSAGE: "sent_on",
    Event.CASE_HANDOVER: "concluded_on",
    Event.STATE_CHANGED: "changed_on",
}
"""The name of the one ISO date in messages of each event; each message also has a `link`."""

_HEAD = re.compile(
    r'\{"position": \d{1,19}, "link": "[0-9a-f]{64}", "at": "[0-9T:.+-]{19,40}", "signature": "[\w+/=]{88}"\}'
)
"""The `head` of a `TRAIL_HEAD`: a line of JSON without room for anything else."""

DEPUTY_PAGE = "/desk/deputy/"
"""The start of the path of links for a deputy without an account."""

TO_SYSTEMS = frozenset({Event.CASE_HANDOVER, Event.STATE_CHANGED})
"""Events for other systems: they have no templates."""

EXTRA: Mapping[str, tuple[str, re.Pattern[str]]] = {
    Event.TRAIL_HEAD: ("head", _HEAD),
    Event.STATE_CHANGED: ("state", re.compile("[a-z_]{1,20}")),
}
"""Values beside link and date, and their form: no other event has any."""

WITH_SECRET = frozenset({Event.ACCOUNT_LINK})
"""Events whose link gets a secret in its fragment while it is sent; the secret is never stored."""


def check_values(event: str, values: Mapping[str, str], *, being_sent: bool = False) -> None:
    """Raise ValueError unless `values` are exactly the link, the date and the `EXTRA` of this event.

    Only while it is `being_sent` may the link of an event `WITH_SECRET` have a fragment.
    """
    date_name = DATES[Event(event)]
    extra, form = EXTRA.get(event, ("", None))
    if set(values) != {"link", date_name} | ({extra} if form else set()):
        raise ValueError(f"a message {event} carries link, {date_name} {extra}, nothing else")
    if not _is_ascii_link_without_query(values["link"], fragment=being_sent and event in WITH_SECRET):
        raise ValueError(f"the link of a message {event} must be a plain web address without a query")
    if form and not form.fullmatch(values[extra]):
        raise ValueError(f"this is no {extra} of a message {event}")
    if not _is_date(values[date_name]):
        raise ValueError(f"{date_name} of a message {event} must be an ISO date")


def is_for_deputy(link: str) -> bool:
    """Return whether the message with this link is for a deputy without an account."""
    return urlsplit(link).path.startswith(DEPUTY_PAGE)


def _is_ascii_link_without_query(link: str, *, fragment: bool) -> bool:
    if not link.isascii() or not link.isprintable() or " " in link:
        return False
    parts = urlsplit(link)
    plain = not parts.query and (fragment or not parts.fragment)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
