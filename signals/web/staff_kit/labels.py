"""What staff read for the codes of the domain, in Dutch and English; carriers' words: `web.labels`."""

from collections.abc import Mapping
from enum import StrEnum

from signals.casework import NotReachedReason, PartOfDay, ReopenReason
from signals.staff.departures import ACCOUNT_DISABLED, ROLE_CHANGED
from signals.vocabulary import (
    Action,
    AttemptKind,
    AttemptResult,
    ConcernType,
    DeferralReason,
    Outcome,
    ReferralReason,
    ReferredTo,
    Role,
    Seen,
    SignalState,
)
from signals.web.labels import CONCERN_TYPES, SEEN

_WORDS: tuple[tuple[StrEnum, str, str], ...] = (
    (SignalState.NEW, "Nieuw", "New"),
    (SignalState.CLAIMED, "Opgepakt", "Claimed"),
    (SignalState.IN_FOLLOW_UP, "In opvolging", "In follow-up"),
    (SignalState.CONCLUDED, "Afgerond", "Concluded"),
    (Role.WORKER, "sociaal werker", "social worker"),
    (Role.LEAD, "teamleider", "team lead"),
    (Role.COORDINATOR, "coördinator", "coordinator"),
    (Role.ADMINISTRATOR, "beheerder", "administrator"),
    (Role.PRIVACY_OFFICER, "functionaris gegevensbescherming", "privacy officer"),
    (AttemptKind.VISIT, "Huisbezoek", "Visit"),
    (AttemptKind.PHONE, "Telefoon", "Phone call"),
    (AttemptKind.LETTER, "Brief", "Letter"),
    (AttemptKind.CARD, "Kaartje", "Card"),
    (AttemptKind.THROUGH_OTHER, "Via iemand anders", "Through somebody else"),
    (AttemptResult.NO_ANSWER, "Geen gehoor", "No answer"),
    (AttemptResult.CONTACT, "Contact gehad", "Contact made"),
    (AttemptResult.REFUSED, "Wil geen contact", "Does not want contact"),
    (AttemptResult.WRONG_ADDRESS, "Adres klopt niet", "Wrong address"),
    (AttemptResult.POSTPONED, "Later afgesproken", "Agreed for later"),
    (Outcome.NO_CONCERN, "Er was niets aan de hand", "No concern"),
    (Outcome.TALK_SUFFICED, "Een gesprek was genoeg", "A talk sufficed"),
    (Outcome.HELP_ACCEPTED, "Hulp aanvaard", "Help accepted"),
    (Outcome.REFERRED, "Doorverwezen", "Referred"),
    (Outcome.ALREADY_KNOWN, "Al in beeld bij hulp", "Already known to help"),
    (Outcome.HELP_DECLINED, "Wil geen hulp", "Help declined"),
    (Outcome.NOT_REACHED, "Niet bereikt", "Not reached"),
    (Outcome.ESCALATED, "Opgeschaald naar crisis", "Escalated to crisis care"),
    (Outcome.DUPLICATE, "Dubbel gemeld", "Duplicate"),
    (Outcome.WRONG_ADDRESS, "Adres klopt niet", "Wrong address"),
    (Outcome.MISUSE, "Misbruik van het meldpunt", "Misuse"),
    (ReferredTo.HUISARTS, "Huisarts", "General practitioner"),
    (ReferredTo.WIJKTEAM_WMO, "Wijkteam of Wmo", "Neighbourhood team or Wmo"),
    (ReferredTo.SCHULDHULP, "Schuldhulp", "Debt support"),
    (ReferredTo.GGD_OGGZ, "GGD, openbare ggz", "GGD, public mental health"),
    (ReferredTo.GGZ, "Ggz", "Mental health care"),
    (ReferredTo.VERSLAVINGSZORG, "Verslavingszorg", "Addiction care"),
    (ReferredTo.VEILIG_THUIS, "Veilig Thuis", "Veilig Thuis (abuse and violence)"),
    (ReferredTo.WONINGCORPORATIE, "Woningcorporatie", "Housing association"),
    (ReferredTo.OTHER, "Anders", "Other"),
    (ReferredTo.CRISIS_112, "112 of crisisdienst", "112 or crisis service"),
    (ReferredTo.WVGGZ, "Melding Wvggz", "Wvggz notification"),
    (DeferralReason.WOULD_ENDANGER, "Het zou de bewoner in gevaar brengen", "It would endanger the resident"),
    (DeferralReason.IMPOSSIBLE, "Het kan niet", "It is impossible"),
    (DeferralReason.DISPROPORTIONATE, "Het kost onevenredig veel", "It takes a disproportionate effort"),
    (DeferralReason.SAFETY_OF_OTHERS, "De veiligheid van anderen", "The safety of others"),
    (DeferralReason.ALREADY_INFORMED, "De bewoner weet het al", "The resident knows already"),
    (NotReachedReason.MOVED_AWAY, "Verhuisd", "Moved away"),
    (NotReachedReason.DECEASED, "Overleden", "Deceased"),
    (NotReachedReason.NOBODY_LIVES_THERE, "Er woont niemand", "Nobody lives there"),
    (NotReachedReason.UNSAFE_TO_VISIT, "Bezoek is niet veilig", "Unsafe to visit"),
    (NotReachedReason.ASKED_TO_STOP, "Er is gevraagd te stoppen", "Asked to stop"),
    (ReopenReason.NEW_INFORMATION, "Er is nieuwe informatie", "There is new information"),
    (ReopenReason.RESIDENT_CALLED_BACK, "De bewoner nam contact op", "The resident called back"),
    (ReopenReason.CONCLUDED_BY_MISTAKE, "Per vergissing afgerond", "Concluded by mistake"),
    (ReferralReason.OUTSIDE_AREA, "Buiten ons gebied", "Outside our area"),
    (ReferralReason.OTHER_EXPERTISE, "Andere deskundigheid nodig", "Needs other expertise"),
    (ReferralReason.MOVED, "De bewoner is verhuisd", "The resident moved"),
    (ReferralReason.NO_CAPACITY, "Wij hebben geen ruimte", "We have no capacity"),
    (ReferralReason.OTHER, "Anders", "Other"),
    (PartOfDay.MORNING, "in de ochtend", "in the morning"),
    (PartOfDay.AFTERNOON, "in de middag", "in the afternoon"),
    (PartOfDay.EVENING, "in de avond", "in the evening"),
    (Action.ARRIVE, "Binnengekomen", "Received"),
    (Action.CLAIM, "Opgepakt", "Claimed"),
    (Action.RELEASE, "Teruggelegd", "Put back"),
    (Action.RECORD_ATTEMPT, "Contactpoging genoteerd", "Contact attempt recorded"),
    (Action.REFER, "Overgedragen", "Handed over"),
    (Action.CONCLUDE, "Afgerond", "Concluded"),
    (Action.REOPEN, "Heropend", "Reopened"),
)
# By class too: members of two lists with one code are equal, and so are their hashes.
_LABELS: Mapping[tuple[type[StrEnum], str], tuple[str, str]] = {
    (type(code), code.value): (dutch, english) for code, dutch, english in _WORDS
}


def label(code: StrEnum, language: str) -> str:
    """The words for a code in "nl" or "en"; raises `KeyError` for a code that nobody has named."""
    if isinstance(code, ConcernType):
        return CONCERN_TYPES[code][language]
    if isinstance(code, Seen):
        return SEEN[code][language]
    dutch, english = _LABELS[type(code), code.value]
    return dutch if language == "nl" else english


def choices(
    codes: type[StrEnum], language: str, *, without: frozenset[StrEnum] = frozenset()
) -> list[tuple[str, str]]:
    """(code, words) of a list for a form's select, in the order of the domain."""
    return [(code.value, label(code, language)) for code in codes if code not in without]


_OF_THE_SYSTEM: Mapping[str, tuple[str, str]] = {
    ACCOUNT_DISABLED: ("Het account is afgesloten", "The account was shut"),
    ROLE_CHANGED: ("De collega heeft een andere rol", "The colleague has another role"),
}


WITHOUT_ANSWERING: frozenset[AttemptKind] = frozenset({AttemptKind.LETTER, AttemptKind.CARD})
"""What lies in a letter box: nobody can fail to answer it."""

_DELIVERED = ("Bezorgd, nog geen reactie", "Delivered, no reply yet")


def result_label(kind: AttemptKind, result: AttemptResult, language: str) -> str:
    """How an attempt went; of letter and card `no_answer` says that they were delivered."""
    if result is AttemptResult.NO_ANSWER and kind in WITHOUT_ANSWERING:
        return _DELIVERED[0 if language == "nl" else 1]
    return label(result, language)


def reason_label(code: str, language: str) -> str:
    """The words for a reason kept in the history; another code of the system's own is shown as nothing."""
    if code in _OF_THE_SYSTEM:
        return _OF_THE_SYSTEM[code][0 if language == "nl" else 1]
    for codes in (NotReachedReason, ReopenReason, ReferralReason):
        if code in codes.__members__.values():
            return label(codes(code), language)
    return ""
