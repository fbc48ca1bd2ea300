"""The answer to a request for access (art. 15 AVG) as a PDF in plain Dutch, from the Dutch catalogue."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final

from babel.dates import format_date, format_datetime

from signals.clock import AMSTERDAM
from signals.routing.postcodes import Address
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    AuditAction,
    ConcernType,
    DeferralReason,
    Outcome,
    ReferralReason,
    ReferredTo,
    Seen,
    SignalState,
)
from signals.web.labels import label, mark, text
from signals.web.staff_kit.display import address as written_address
from signals.web.staff_kit.labels import kept_after_deletion, reason_label, result_label
from signals.web.staff_kit.pdf import Head, Section, make_pdf

_LANGUAGE: Final = "nl"
_ = partial(text, language=_LANGUAGE)

_RIGHTS: Final = (
    mark(
        "You may ask us to correct data, to delete them or not to use them for a while, and you may object."
    ),
    mark(
        "Do you disagree with the way we use your data? Then you can complain to the Dutch data protection"
        " authority."
    ),
)

_RULES: Final = {
    "concluded": mark("Kept after conclusion"),
    "unattended": mark("Kept without follow-up"),
    "hard_limit": mark("In any case no longer than"),
}
_RECIPIENTS: Final = {
    "own_team": mark("workers of this organisation who follow signals up"),
    "referred_to": mark("an organisation that took the signal over"),
    "processor": mark("the provider of the platform, on behalf of this organisation"),
}
_OUTCOME_GROUPS: Final = {
    "no_concern": mark("there was no concern"),
    "helped": mark("helped"),
    "known": mark("already known to help"),
    "declined": mark("did not want help"),
    "not_reached": mark("not reached"),
    "void": mark("duplicate, wrong address or misuse"),
    "referred": mark("handed over to another organisation"),
}
_DEADLINES: Final = {
    "claim_by": mark("To be claimed on or before"),
    "contact_by": mark("First attempt on or before"),
    "conclude_by": mark("To be concluded on or before"),
    "due_on": mark("Next deadline"),
}


def rights_pdf(head: Head, on: date, document: Mapping[str, Any]) -> bytes:
    """Return what `ExportedSchema` wrote as a PDF for the resident, made on a day."""
    named = {"name": head.name, "day": format_date(on, "d MMMM y", locale=_LANGUAGE)}
    lead, sections = [_("%(name)s keeps nothing about this address on %(day)s.", **named)], []
    if any(document[part] for part in ("signals", "earlier_signals", "referred")):
        lead = [
            _("This is all that %(name)s keeps about this address on %(day)s.", **named),
            _("Somebody was worried and passed that on. Nobody knows who it was."),
        ]
        sections = list(_sections(document))
    sections.append(Section(title=_("Your rights"), text=[_(right) for right in _RIGHTS]))
    title = _("Answer to your request for access")
    return make_pdf(head, title=title, lead=lead, sections=sections, language=_LANGUAGE)


def _sections(document: Mapping[str, Any]) -> Iterator[Section]:
    yield Section(title=_("Why and for how long"), facts=list(_reasons(document)))
    for signal in document["signals"]:
        yield Section(title=_title(signal), facts=list(facts_of(signal)))
    if document["earlier_signals"]:
        yield Section(
            title=_("Earlier signals"),
            text=[
                _(
                    "The content of earlier signals was deleted. Only the day of receipt and, in short, the"
                    " outcome are left."
                )
            ],
            facts=[(_("Came in on"), _earlier(link)) for link in document["earlier_signals"]],
        )
    for referral in document["referred"]:
        yield Section(title=_title(referral), text=_handed_over(referral), facts=list(_uses(referral)))


def _title(signal: Mapping[str, Any]) -> str:
    return _("Signal %(reference)s", reference=signal["reference"])


def _reasons(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield ground, retention periods, recipients and source (art. 15(1) AVG)."""
    yield _("Legal ground"), document["legal_basis"] or _("not recorded")
    yield _("Retention period"), document["retention_basis"] or _("not recorded")
    for kept in document["retention"]:
        rule = _RULES[kept["rule"]]
        yield _(rule), _("%(days)s days. %(ground)s", days=kept["days"], ground=kept["legal_basis"])
    for sentence in kept_after_deletion(_LANGUAGE):
        yield _("That there was a signal"), sentence
    for code in document["recipients"]:
        yield _("Possible recipients"), _(_RECIPIENTS[code])
    yield _("Source"), document["source"]


def _handed_over(referral: Mapping[str, Any]) -> list[str]:
    return [
        _(
            "Handed over to %(organisation)s on %(day)s. Reason: %(reason)s.",
            organisation=referral["to"] or _("another organisation"),
            day=_day(referral["on"]),
            reason=_words(ReferralReason, referral["reason"]),
        ),
        _("We do not have the content any more."),
    ]


def facts_of(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is kept of one signal, as (what, value)."""
    yield from _reception(signal)
    yield from _content(signal)
    yield from _notified(signal)
    yield from _attempts(signal)
    for change in signal["history"]:
        yield _("Event"), _change(change)
    yield from _conclusion(signal)
    if signal["restricted_on"]:
        yield _("Use restricted since"), _day(signal["restricted_on"])
    yield from _uses(signal)


def _uses(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    times = Counter((access["on"], access["action"]) for access in signal["accesses"])
    for (on, action), number in times.items():
        often = _(" (%(number)s times)", number=number) if number > 1 else ""
        yield _("Read or used"), f"{_day(on)}: {_words(AuditAction, action)}{often}"


def _reception(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield _("Came in on"), _day(signal["received_on"])
    if signal["outside_area"]:
        yield _("Why there"), _("the sender chose an organisation of another area")
    if signal["unrouted"]:
        yield _("Where"), _("at the national desk, because no organisation could receive it")
    if signal["repeat"]:
        yield _("Earlier"), _("there was a signal about this address already")
    if signal["urgent"]:
        yield _("Urgent"), _("a worker wanted to visit you at once")
    if signal["drawn_order"]:
        kinds = [label(AttemptKind(kind), _LANGUAGE) for kind in signal["drawn_order"]]
        yield _("Comparison"), _("this order of attempts was drawn: %(order)s", order=", ".join(kinds))
    if signal["team_told"]:
        yield _("Team"), _("got a message that there was a signal, without its content")
    yield _("State"), label(SignalState(signal["state"]), _LANGUAGE)
    for name, words in _DEADLINES.items():
        yield _(words), _day(signal[name])


def _notified(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield how the resident was notified (art. 14 AVG)."""
    if signal["letter_printed_on"]:
        yield _("Letter to you printed on"), _day(signal["letter_printed_on"])
    if signal["notified_on"]:
        yield _("You were told on"), _day(signal["notified_on"])
    if signal["deferred_because"]:
        yield _("Not told earlier, because"), _words(DeferralReason, signal["deferred_because"])


def _attempts(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for attempt in signal["contact_attempts"]:
        yield _("Contact attempt"), _tried(attempt)
    for attempt in signal["corrected_attempts"]:
        yield _("First noted as"), _tried(attempt)
    if signal["first_contact_at"]:
        yield _("First talk"), _moment(signal["first_contact_at"])
    if signal["postponed_until"]:
        yield _("Next contact on"), _day(signal["postponed_until"])


def _tried(attempt: Mapping[str, Any]) -> str:
    kind, result = AttemptKind(attempt["kind"]), AttemptResult(attempt["result"])
    agreed = _(", agreed day: %(day)s", day=_day(attempt["agreed_for"])) if attempt["agreed_for"] else ""
    together = _(", with %(number)s workers", number=attempt["workers"]) if attempt["workers"] > 1 else ""
    tried = f"{label(kind, _LANGUAGE)}, {result_label(kind, result, _LANGUAGE)}"
    return f"{_moment(attempt['at'])}: {tried}{together}{agreed}"


def _conclusion(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if signal["wmo_notified_on"]:
        yield _("Wmo notification done on"), _day(signal["wmo_notified_on"])
    if signal["filed_on"]:
        yield _("In the own case system since"), _day(signal["filed_on"])
    if signal["concluded_at"]:
        yield _("Concluded"), _moment(signal["concluded_at"])
    if signal["outcome"]:
        yield _("Outcome"), _words(Outcome, signal["outcome"])
    if signal["referred_to"]:
        yield _("Referred to"), _words(ReferredTo, signal["referred_to"])
    if signal["newly_known"] is not None:
        yield _("Known to help already"), _("no") if signal["newly_known"] else _("yes")


def _change(change: Mapping[str, Any]) -> str:
    """Return a status change with its day, the state after it, and its reason if that has words."""
    reason = _reason(change)
    state = _words(SignalState, change["after"])
    words = _(
        "%(day)s: %(event)s. State after it: %(state)s",
        day=_day(change["on"]),
        event=_words(Action, change["action"]),
        state=state,
    )
    if change["day"]:
        words = _("%(words)s. Day noted: %(day)s", words=words, day=_day(change["day"]))
    return _("%(words)s. Reason: %(reason)s", words=words, reason=reason) if reason else words


def _reason(change: Mapping[str, Any]) -> str:
    if change["reason"] is None:
        return ""
    if change["action"] == Action.REFER:
        return _words(ReferralReason, change["reason"])
    return reason_label(change["reason"], _LANGUAGE)


def _earlier(link: Mapping[str, Any]) -> str:
    outcome = _OUTCOME_GROUPS.get(link["outcome_group"], mark("not known"))
    return _("%(day)s, outcome: %(outcome)s", day=_day(link["received_on"]), outcome=_(outcome))


def _content(signal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "address" not in signal:
        yield _("Content"), _("deleted")
        return
    place = signal["address"]
    yield (
        _("Address"),
        written_address(
            Address(postcode=place["postcode"], number=place["house_number"], addition=place["addition"])
        ),
    )
    if signal["neighbourhood"]:
        yield _("Neighbourhood"), signal["neighbourhood"]
    for code in signal["concern_types"]:
        yield _("What stood out"), label(ConcernType(code), _LANGUAGE)
    if signal["seen"]:
        yield _("Frequency"), label(Seen(signal["seen"]), _LANGUAGE)
    if signal["noticed_on"]:
        yield _("Noticed on"), _day(signal["noticed_on"])
    if signal["note"]:
        yield _("Note of the carrier"), signal["note"]
    for note in signal["follow_up_notes"]:
        yield _("Note of a worker"), f"{_moment(note['at'])}: {note['text']}"
    for note in signal["corrected_notes"]:
        yield _("First noted as"), f"{_moment(note['at'])}: {note['text']}"


def _words(codes: type[StrEnum], code: str) -> str:
    return label(codes(code), _LANGUAGE)


def _day(text: str) -> str:
    return format_date(date.fromisoformat(text), "d MMMM y", locale=_LANGUAGE)


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(AMSTERDAM)
    return format_datetime(at, "d MMMM y, HH:mm", locale=_LANGUAGE)
