"""What privacy officers and administrators read for the codes of the domain, in Dutch and English."""

from collections.abc import Mapping
from enum import StrEnum

from signals.residents import IdentityProof, ResidenceProof, Right
from signals.routing.coverage_problems import ProblemKind
from signals.routing.rows import CoverageLevel
from signals.vocabulary import AuditAction, DeletionReason, OrganisationKind, RetentionRule
from signals.web.staff_kit import labels

_WORDS: tuple[tuple[StrEnum, str, str], ...] = (
    (Right.ACCESS, "Inzage (art. 15)", "Access (art. 15)"),
    (Right.RECTIFICATION, "Verbetering (art. 16)", "Rectification (art. 16)"),
    (Right.ERASURE, "Verwijdering (art. 17)", "Erasure (art. 17)"),
    (Right.RESTRICTION, "Beperking (art. 18)", "Restriction (art. 18)"),
    (Right.OBJECTION, "Bezwaar (art. 21)", "Objection (art. 21)"),
    (IdentityProof.SEEN_IN_PERSON, "Identiteitsbewijs gezien", "Identity document seen"),
    (IdentityProof.DIGID, "DigiD", "DigiD"),
    (IdentityProof.KNOWN_CLIENT, "Bekende cliënt", "Known client"),
    (IdentityProof.AUTHORISED, "Schriftelijk gemachtigd", "Authorised in writing"),
    (ResidenceProof.BRP, "Basisregistratie personen", "Register of residents"),
    (ResidenceProof.LETTER_ANSWERED, "Code uit brief teruggestuurd", "Code in a letter came back"),
    (ResidenceProof.VISITED, "Op huisbezoek gezien", "Seen at a visit"),
    (ResidenceProof.DOCUMENT, "Document op dit adres", "Document at this address"),
    (RetentionRule.CONCLUDED, "Na afronding", "After conclusion"),
    (RetentionRule.UNATTENDED, "Zonder opvolging, na ontvangst", "Without follow-up, after receipt"),
    (RetentionRule.HARD_LIMIT, "Uiterlijk, na ontvangst", "At the latest, after receipt"),
    (DeletionReason.CONCLUDED, "Afgerond, termijn voorbij", "Concluded, period over"),
    (DeletionReason.UNATTENDED, "Zonder opvolging", "Without follow-up"),
    (DeletionReason.HARD_LIMIT, "Uiterste termijn", "Hard limit"),
    (DeletionReason.ERASURE, "Verzoek van de bewoner", "Asked by the resident"),
    (DeletionReason.OBJECTION, "Bezwaar van de bewoner", "The resident objected"),
    (OrganisationKind.SOCIAL_WORK, "Sociaal werk", "Social work"),
    (OrganisationKind.GGD, "GGD", "GGD"),
    (OrganisationKind.NATIONAL, "Landelijk meldpunt", "National desk"),
    (CoverageLevel.PC6_RANGE, "Huisnummers van een postcode", "House numbers of a postcode"),
    (CoverageLevel.PC6, "Postcode (1012AB)", "Postcode (1012AB)"),
    (CoverageLevel.PC4, "Postcodegebied (1012)", "Postcode area (1012)"),
    (CoverageLevel.MUNICIPALITY, "Gemeente (GM0363)", "Municipality (GM0363)"),
    (CoverageLevel.GGD_REGION, "GGD-regio (GG3406)", "GGD region (GG3406)"),
    (CoverageLevel.NATIONAL, "Heel Nederland (NL)", "The Netherlands (NL)"),
    (ProblemKind.FALLS_TO_GGD, "Alleen de GGD ontvangt", "Only the GGD receives"),
    (
        ProblemKind.FALLS_TO_NATIONAL,
        "Alleen het landelijk meldpunt ontvangt",
        "Only the national desk receives",
    ),
    (ProblemKind.OVERLAP, "Door meer dan één organisatie gedekt", "Covered by more than one organisation"),
    (ProblemKind.UNKNOWN_ORGANISATION, "Organisatie bestaat niet", "Organisation does not exist"),
    (ProblemKind.UNKNOWN_AREA, "Gebied bestaat niet", "Area does not exist"),
    (ProblemKind.ENDED_MUNICIPALITY, "Gemeente is opgeheven", "Municipality has ended"),
    (
        ProblemKind.OUTLIVES_MUNICIPALITY,
        "Loopt door, terwijl de gemeente niet meer van dit team is",
        "Goes on, though the municipality is this team's no longer",
    ),
    (
        ProblemKind.ROUTES_ELSEWHERE,
        "Veel postcodes gaan naar een andere gemeente dan bekend",
        "Many postcodes go to another municipality than is known",
    ),
    (ProblemKind.NO_NATIONAL_DESK, "Er is geen landelijk meldpunt", "There is no national desk"),
    (AuditAction.SIGN_IN, "Aangemeld", "Signed in"),
    (AuditAction.SIGN_IN_FAILED, "Aanmelden mislukt", "Sign-in failed"),
    (AuditAction.SIGN_OUT, "Afgemeld", "Signed out"),
    (AuditAction.SIGNAL_ARRIVED, "Signaal binnengekomen", "Signal arrived"),
    (AuditAction.SUMMARIES_READ, "Lijst van signalen bekeken", "List of signals seen"),
    (AuditAction.SIGNAL_OPENED, "Signaal geopend", "Signal opened"),
    (AuditAction.SIGNAL_CHANGED, "Signaal gewijzigd", "Signal changed"),
    (
        AuditAction.FOREIGN_SIGNAL_REFUSED,
        "Signaal van een ander team geweigerd",
        "Signal of another team refused",
    ),
    (AuditAction.ROUND_PRINTED, "Ronde gemaakt", "Round made"),
    (AuditAction.SEARCHED, "Gezocht", "Searched"),
    (AuditAction.NOTICE_PRINTED, "Brief gemaakt", "Letter made"),
    (AuditAction.NOTICE_RECORDED, "Bericht aan bewoner vastgelegd", "Notice to resident recorded"),
    (AuditAction.SIGNAL_REFERRED, "Signaal overgedragen", "Signal referred"),
    (AuditAction.SIGNAL_PURGED, "Signaal verwijderd", "Signal deleted"),
    (AuditAction.STAFF_CHANGED, "Account gewijzigd", "Account changed"),
    (AuditAction.ORGANISATION_CHANGED, "Organisatie gewijzigd", "Organisation changed"),
    (AuditAction.COVERAGE_CHANGED, "Dekking gewijzigd", "Coverage changed"),
    (AuditAction.KEYS_CHANGED, "Sleutels gewijzigd", "Keys changed"),
    (AuditAction.EXPORTED, "Inzage gegeven", "Access given"),
    (AuditAction.AUDIT_READ, "Logboek gelezen", "Trail read"),
    (AuditAction.AUDIT_PRUNED, "Logboek opgeschoond", "Trail pruned"),
    (AuditAction.RIGHT_EXERCISED, "Recht uitgeoefend", "Right exercised"),
    (AuditAction.SIGNAL_ERASED, "Verwijderd op verzoek", "Erased on request"),
    (AuditAction.SIGNAL_RECTIFIED, "Signaal verbeterd", "Signal rectified"),
    (AuditAction.SIGNAL_RESTRICTED, "Gebruik beperkt", "Use restricted"),
    (AuditAction.PASSKEY_CHANGED, "Passkey gewijzigd", "Passkey changed"),
    (AuditAction.PASSWORD_CHANGED, "Wachtwoord gewijzigd", "Password changed"),
    (AuditAction.APPROVAL_ASKED, "Toestemming gevraagd", "Approval asked"),
    (AuditAction.APPROVAL_DECIDED, "Over toestemming besloten", "Approval decided"),
)
_LABELS: Mapping[tuple[type[StrEnum], str], tuple[str, str]] = {
    (type(code), code.value): (dutch, english) for code, dutch, english in _WORDS
}


def label(code: StrEnum, language: str) -> str:
    """The words for a code in "nl" or "en"; also those of `signals.web.staff_kit.labels`."""
    found = _LABELS.get((type(code), code.value))
    if found is None:
        return labels.label(code, language)
    return found[0] if language == "nl" else found[1]


def level_words(level: str, language: str) -> str:
    """The words for a kind of area as the trail names it; another text as it is."""
    return label(CoverageLevel(level), language) if level in CoverageLevel.__members__.values() else level


def choices(codes: type[StrEnum], language: str) -> list[tuple[str, str]]:
    """(code, words) of a list for a form's select, in the order of the domain."""
    return [(code.value, label(code, language)) for code in codes]
