"""Measure which names of eight languages redaction takes out of Dutch notes, none from its own lists."""

import re

import pytest
from faker import Faker

from privacy.redaction import redact
from privacy.redaction.words import words

LOCALES = {
    "nl": "nl_NL", "en": "en_GB", "pl": "pl_PL", "ro": "ro_RO",
    "tr": "tr_TR", "ar": "ar_SA", "uk": "uk_UA", "bg": "bg_BG",
}  # fmt: skip
NOTES = (
    "{} doet de deur niet open en er ligt veel post.",
    "Ik sprak met {} aan de deur, het ruikt er naar gas.",
    "De buren zeggen dat {} al dagen niet buiten is geweest.",
    "Volgens de buurvrouw is {} erg in de war.",
)
OTHER_NOTES = {
    "en": "the neighbours say that there is a lot of mail and that nobody has been outside for days",
    "pl": "sąsiedzi mówią, że leży dużo poczty i że nikt nie wychodzi od wielu dni",
    "ro": "vecinii spun că este multă poștă și că nimeni nu a mai ieșit de zile întregi",
    "tr": "komşular çok posta olduğunu ve kimsenin günlerdir dışarı çıkmadığını söylüyor",
    "ar": "يقول الجيران إن هناك بريدا كثيرا ولم يخرج أحد منذ أيام",
    "uk": "сусіди кажуть, що лежить багато пошти і ніхто не виходить уже кілька днів",
    "bg": "съседите казват, че има много поща и че никой не е излизал от дни",
}
LEAST_IN_CAPITALS, LEAST_IN_LOWER_CASE, LEAST_IN_TURKISH = 0.85, 0.75, 0.60
WORD = re.compile(r"[^\W\d_]+")


@pytest.mark.parametrize("is_lower", [False, True], ids=["capitals", "lower"])
@pytest.mark.parametrize("language", LOCALES)
def test_names_of_each_language_leave_a_dutch_note(language: str, is_lower: bool) -> None:
    names = made_up(LOCALES[language], 120)
    taken = kept = harmless = 0
    for place, name in enumerate(names):
        note = NOTES[place % len(NOTES)]
        before, after = (part.lower() if is_lower else part for part in note.split("{}"))
        left = redact(before + (name.lower() if is_lower else name) + after).text
        kept += sum(word in WORD.findall(left) for word in WORD.findall(before + after))
        harmless += len(WORD.findall(before + after))
        taken += not (set(WORD.findall(name.lower())) - particles()) & set(WORD.findall(left.lower()))
    assert kept >= 0.98 * harmless
    least = LEAST_IN_TURKISH if language == "tr" else LEAST_IN_LOWER_CASE
    assert taken >= (least if is_lower else LEAST_IN_CAPITALS) * len(names)


@pytest.mark.parametrize("language", OTHER_NOTES)
def test_words_of_each_language_stay(language: str) -> None:
    note = OTHER_NOTES[language]
    assert redact(note).text == note


def made_up(locale: str, number: int) -> list[str]:
    faker = Faker(locale)
    faker.seed_instance(locale)
    makers = (lambda: f"{faker.first_name()} {faker.last_name()}", faker.first_name, faker.last_name)
    return [makers[place % len(makers)]() for place in range(number)]


def particles() -> frozenset[str]:
    """`van`, `de`, `el` tell nobody apart, and every letter alone."""
    return words().particles | frozenset("abcdefghijklmnopqrstuvwxyz") | {"آل"}
