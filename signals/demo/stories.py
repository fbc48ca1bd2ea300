"""What happened in the demo: some 60 reports of the last weeks, and what each team did about them.

Days are counted in working days, so that nobody visits on a Sunday. Postcodes begin with four real
digits; letters and house numbers are invented. What was concluded is younger than four weeks: older
signals would have been purged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from signals.casework.outcomes import NotReachedReason, ReopenReason
from signals.vocabulary import (
    AttemptKind,
    AttemptResult,
    ConcernType,
    DeferralReason,
    Outcome,
    ReferredTo,
    Role,
    Seen,
)

FIRST_DAY_BACK: Final = 75
"""How many calendar days before today the demo's people were taken on; every report is later."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that a team does, so many working days after the receipt, at an hour in Amsterdam.

    `do` names a function of `telling`; `values` are its arguments.
    """

    after: int
    hour: int
    do: str
    by: Role = Role.WORKER
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Story:
    """One report: to which team by which address, how many working days ago, and what was done."""

    team: str
    days_ago: int
    postcode: str = field(repr=False)
    number: int = field(repr=False)
    addition: str = field(default="", repr=False)
    concern_types: tuple[ConcernType, ...] = field(default=(), repr=False)
    seen: Seen | None = field(default=None, repr=False)
    steps: tuple[Step, ...] = ()


def _claim(after: int, hour: int = 9, by: Role = Role.WORKER) -> Step:
    return Step(after=after, hour=hour, do="claim", by=by)


def _tried(
    after: int,
    hour: int,
    kind: AttemptKind,
    result: AttemptResult,
    workers: int = 1,
    by: Role = Role.WORKER,
) -> Step:
    values = {"kind": kind, "result": result, "workers": workers}
    return Step(after=after, hour=hour, do="attempt", by=by, values=values)


def _agreed(after: int, hour: int, kind: AttemptKind, *, days: int) -> Step:
    """Two workers agreed on another day, so many days on."""
    values = {"kind": kind, "result": AttemptResult.POSTPONED, "workers": 2, "agreed_in_days": days}
    return Step(after=after, hour=hour, do="attempt", values=values)


def _note(after: int, hour: int, text: str) -> Step:
    return Step(after=after, hour=hour, do="note", values={"text": text})


def _told(after: int, hour: int = 16) -> Step:
    return Step(after=after, hour=hour, do="notice", values={"told": True})


def _deferred(after: int, because: DeferralReason) -> Step:
    return Step(after=after, hour=16, do="notice", values={"deferred_because": because})


def _concluded(
    after: int,
    outcome: Outcome,
    *,
    to: ReferredTo | None = None,
    newly_known: bool | None = None,
    reason: NotReachedReason | None = None,
) -> Step:
    values = {"outcome": outcome, "referred_to": to, "newly_known": newly_known, "reason": reason}
    return Step(after=after, hour=17, do="conclude", values=values)


_VISIT, _PHONE, _LETTER, _CARD, _THROUGH = AttemptKind
_NO_ANSWER, _CONTACT, _REFUSED, _WRONG_ADDRESS, _ = AttemptResult

_PLOTS: Final[Mapping[str, tuple[Step, ...]]] = {
    "new": (),
    "claimed": (_claim(1),),
    "led": (_claim(1, by=Role.LEAD),),
    "released": (_claim(1), Step(after=1, hour=15, do="release")),
    "tried once": (_claim(1), _tried(1, 14, _VISIT, _NO_ANSWER)),
    "card left": (
        _claim(1),
        _tried(1, 11, _VISIT, _NO_ANSWER),
        _tried(2, 15, _CARD, _NO_ANSWER),
        _note(2, 16, "Kaart in de bus gedaan. Gordijnen dicht, fiets staat voor de deur."),
    ),
    "appointment": (
        _claim(1),
        _agreed(2, 10, _VISIT, days=10),
        _told(2),
        _note(2, 16, "Deed open, maar het kwam niet uit. Afspraak gemaakt voor volgende week."),
    ),
    "in touch": (
        _claim(0, 13),
        _tried(1, 10, _VISIT, _CONTACT),
        _told(1),
        _note(1, 16, "Goed gesprek aan de deur. Mag volgende week terugkomen voor koffie."),
    ),
    "left open": (
        _claim(1),
        _tried(2, 14, _VISIT, _NO_ANSWER),
        Step(after=3, hour=12, do="release"),
        _claim(4, by=Role.LEAD),
        _tried(5, 10, _PHONE, _NO_ANSWER, by=Role.LEAD),
    ),
    "deferred": (
        _claim(1),
        _tried(2, 15, _VISIT, _NO_ANSWER, 2),
        _deferred(3, DeferralReason.IMPOSSIBLE),
        _tried(4, 11, _LETTER, _NO_ANSWER),
    ),
    "talk sufficed": (
        _claim(1),
        _tried(1, 15, _VISIT, _CONTACT),
        _told(1),
        _concluded(4, Outcome.TALK_SUFFICED, newly_known=True),
    ),
    "no concern": (
        _claim(0, 14),
        _tried(2, 10, _VISIT, _CONTACT),
        _told(2),
        _note(2, 11, "Mevrouw was drie weken bij haar zus. Alles in orde."),
        _concluded(2, Outcome.NO_CONCERN, newly_known=False),
    ),
    "help accepted": (
        _claim(1),
        _tried(1, 11, _VISIT, _NO_ANSWER),
        _tried(3, 18, _VISIT, _CONTACT, 2),
        _told(3, 19),
        _note(4, 9, "Wil graag naar de eettafel in het buurthuis. Gaat de eerste keer samen met ons."),
        _concluded(8, Outcome.HELP_ACCEPTED, newly_known=True),
    ),
    "referred": (
        _claim(1),
        _tried(2, 10, _VISIT, _NO_ANSWER),
        _tried(3, 14, _CARD, _NO_ANSWER),
        _tried(6, 16, _PHONE, _CONTACT),
        _told(6),
        _note(6, 17, "Stapel ongeopende post, vraagt zelf om hulp met de rekeningen."),
        _concluded(9, Outcome.REFERRED, to=ReferredTo.SCHULDHULP, newly_known=True),
    ),
    "referred to the doctor": (
        _claim(0, 15),
        _tried(1, 10, _VISIT, _CONTACT, 2),
        _told(1),
        _concluded(3, Outcome.REFERRED, to=ReferredTo.HUISARTS, newly_known=False),
    ),
    "known already": (
        _claim(1),
        _tried(2, 10, _THROUGH, _CONTACT),
        _told(2),
        _concluded(3, Outcome.ALREADY_KNOWN, newly_known=False),
    ),
    "declined": (
        _claim(1),
        _tried(2, 15, _VISIT, _REFUSED),
        _told(2),
        _tried(5, 11, _LETTER, _NO_ANSWER),
        _concluded(10, Outcome.HELP_DECLINED, newly_known=True),
    ),
    "not reached": (
        _claim(1),
        _tried(2, 10, _VISIT, _NO_ANSWER),
        _tried(4, 18, _VISIT, _NO_ANSWER),
        _tried(6, 12, _CARD, _NO_ANSWER),
        _tried(9, 11, _LETTER, _NO_ANSWER),
        _told(9),
        _concluded(18, Outcome.NOT_REACHED),
    ),
    "moved away": (
        _claim(1),
        _tried(2, 14, _VISIT, _WRONG_ADDRESS),
        _deferred(2, DeferralReason.IMPOSSIBLE),
        _concluded(3, Outcome.NOT_REACHED, reason=NotReachedReason.MOVED_AWAY),
    ),
    "crisis": (
        _claim(0, 11),
        _tried(0, 13, _VISIT, _CONTACT, 2),
        _deferred(0, DeferralReason.WOULD_ENDANGER),
        _concluded(1, Outcome.ESCALATED, to=ReferredTo.WVGGZ, newly_known=True),
    ),
    "duplicate": (_claim(1), _concluded(1, Outcome.DUPLICATE)),
    "reopened": (
        _claim(1),
        _tried(2, 10, _VISIT, _REFUSED),
        _told(2),
        _concluded(4, Outcome.HELP_DECLINED, newly_known=True),
        Step(after=9, hour=10, do="reopen", values={"reason": ReopenReason.RESIDENT_CALLED_BACK}),
        _note(9, 11, "Belde zelf terug naar aanleiding van de brief. Wil toch graag kennismaken."),
    ),
}

_CONCERNS: Final[Mapping[str, tuple[ConcernType, ...]]] = {
    "-": (),
    "post": (ConcernType.MAIL_PILING_UP,),
    "post+weg": (ConcernType.MAIL_PILING_UP, ConcernType.NOT_SEEN),
    "weg": (ConcernType.NOT_SEEN,),
    "eenzaam": (ConcernType.SEEMS_LONELY,),
    "eenzaam+broos": (ConcernType.SEEMS_LONELY, ConcernType.FRAIL),
    "verward": (ConcernType.CONFUSED,),
    "verward+zorg": (ConcernType.CONFUSED, ConcernType.SELF_NEGLECT),
    "zorg": (ConcernType.SELF_NEGLECT,),
    "huis": (ConcernType.HOME_NEGLECTED,),
    "huis+zorg": (ConcernType.HOME_NEGLECTED, ConcernType.SELF_NEGLECT),
    "broos": (ConcernType.FRAIL,),
    "anders": (ConcernType.OTHER,),
}

# Team; then lines of: working days ago, address, what was noticed, how often, what was done.
_TABLE: Final = """
amsterdam
  34  1012AB 214    post+weg       changed     not reached
  24  1054VK 377    eenzaam        repeatedly  help accepted
  25  1095XN 129    huis           repeatedly  referred
  19  1018DZ 86     verward        changed     referred to the doctor
  20  1069HT 541    eenzaam+broos  repeatedly  talk sufficed
  22  1012AB 214    post           repeatedly  declined
  16  1104GK 308    -              -           no concern
  14  1033PL 17B    zorg           changed     reopened
  12  1073TR 263    weg            once        left open
   9  1054VK 377    post           repeatedly  deferred
   8  1012KR 145    huis+zorg      repeatedly  appointment
   5  1091WG 72      eenzaam        repeatedly  in touch
   4  1013MB 398    broos          changed     card left
   3  1055RS 226    anders         once        claimed
   3  1068NP 611    post+weg       changed     new
   1  1012AB 214    weg            once        new
   0  1107BV 43     -              -           new
groningen
  23  9711AA 118    eenzaam        repeatedly  help accepted
  33  9712HC 67     huis+zorg      changed     not reached
  19  9725KL 239    post           repeatedly  known already
  17  9731GD 154    verward+zorg   changed     crisis
  16  9741BN 402    -              -           moved away
  13  9715PJ 91     eenzaam+broos  repeatedly  in touch
  10  9711AA 118    weg            once        tried once
   6  9743RE 316    post+weg       changed     card left
   5  9722MS 58C    broos          changed     released
   2  9728TV 275    zorg           repeatedly  led
   1  9718CX 183    -              -           new
   0  9711LM 39     eenzaam        once        new
ggd-regio-utrecht
  25  3811CB 122    verward        changed     referred
  19  3824NH 357    huis           repeatedly  declined
  11  3813WK 64     zorg           repeatedly  appointment
   7  3822DG 219    -              -           deferred
   4  3815TX 148    post           repeatedly  new
   1  3811CB 122    verward+zorg   changed     new
utrecht
  20  3511LN 333    eenzaam        repeatedly  talk sufficed
  15  3527BH 281    post           once        no concern
   6  3581RT 107    broos          changed     in touch
   3  3564VG 415    -              -           claimed
   0  3523PC 52     weg            once        new
rotterdam
  24  3011DK 196    huis+zorg      repeatedly  referred
  18  3072GL 524    eenzaam        repeatedly  reopened
   8  3034VT 77     post+weg       changed     card left
   2  3083NX 269    anders         once        new
   1  3037HB 138    -              -           new
haarlem-noord
  20  2023KG 211    eenzaam        repeatedly  help accepted
   9  2025TM 84     weg            once        tried once
   4  2022AB 163    post           repeatedly  appointment
   1  2021AB 45     broos          changed     new
zuidwest-drenthe
  19  7941XD 112    post           repeatedly  known already
  12  7981BW 37     eenzaam        repeatedly  left open
   5  7921KP 205    -              -           tried once
   1  8381CT 93     zorg           changed     new
landelijk
  10  1000ZZ 301    -              -           moved away
   2  1000ZX 174    post           once        new
ggd-amsterdam
   6  1181VN 287    eenzaam        repeatedly  new
   1  1185TK 56     -              -           new
ggd-groningen
   7  9951HP 128    post+weg       changed     new
   2  9965BD 24     broos          once        new
ggd-fryslan
   3  8911KM 159    verward        changed     new
ggd-zuid-limburg
   2  6211XG 242    eenzaam        repeatedly  new
"""


def _stories() -> Sequence[Story]:
    found: list[Story] = []
    team = ""
    for line in _TABLE.strip().splitlines():
        if not line.startswith(" "):
            team = line
            continue
        days_ago, postcode, house, concerns, seen, plot = line.split(maxsplit=5)
        found.append(
            Story(
                team=team,
                days_ago=int(days_ago),
                postcode=postcode,
                number=int(house.rstrip("ABC")),
                addition=house.lstrip("0123456789"),
                concern_types=_CONCERNS[concerns],
                seen=None if seen == "-" else Seen(seen),
                steps=_PLOTS[plot],
            )
        )
    return tuple(found)


STORIES: Final = _stories()
