"""The carrier's form as a browser posts it, in the shape that the API's schema checks."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from signals.errors import FieldProblem, Invalid
from signals.intake.content import Report
from signals.web.front.reading import read_report
from signals.web.front.schemas import idempotency_key

KEY_FIELD = "idempotency_key"
SEVERAL = "concern_types"
FIELDS = ("postcode", "house_number", "house_number_addition", SEVERAL, "seen", "noticed_on", "note")


@dataclass(frozen=True, kw_only=True)
class FilledForm:
    """The typed values, for their sender only, and the key of this report.

    `pairs` are names and values in the order of the form. The key stays the same until the intake accepts the
    report: a second press of the button then makes no second signal.
    """

    pairs: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def empty(cls) -> Self:
        """Return a new form with a new key."""
        return cls().with_fresh_key()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Return the form with the values of `read_form`."""
        return cls(pairs=tuple(pairs))

    def with_fresh_key(self) -> Self:
        """Return the same form as a new report."""
        others = tuple(pair for pair in self.pairs if pair[0] != KEY_FIELD)
        return replace(self, pairs=(*others, (KEY_FIELD, str(uuid.uuid4()))))

    def typed(self, name: str) -> str:
        """Return the typed text of a field, empty without one."""
        return next((value for known, value in self.pairs if known == name), "")

    def chosen(self, code: str) -> bool:
        """Return whether this tile is ticked."""
        return (SEVERAL, code) in self.pairs

    def key(self) -> uuid.UUID:
        """Return the idempotency key; raise `ValidationError` when it is missing or no UUID."""
        return idempotency_key(self.typed(KEY_FIELD))

    def report(self) -> Report:
        """Return the report; raise `Invalid` with every problem."""
        problems = list(self._repeated())
        try:
            report = read_report(self._body())
        except Invalid as error:
            problems.extend(error.problems)
        else:
            if not problems:
                return report
        raise Invalid(*problems)

    def _repeated(self) -> Iterable[FieldProblem]:
        names = [name for name, _value in self.pairs if name != SEVERAL]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield FieldProblem(field=name if name in FIELDS else "", code="duplicate")

    def _body(self) -> dict[str, Any]:
        """Return the form as a body of the API: without empty fields, with the house number as a number."""
        body: dict[str, Any] = {
            name: value for name, value in self.pairs if value.strip() or name not in FIELDS
        }
        body.pop(KEY_FIELD, None)
        body.pop(SEVERAL, None)
        types = [value for name, value in self.pairs if name == SEVERAL]
        if types:
            body[SEVERAL] = types
        if "postcode" in body:
            body["postcode"] = as_meant(body["postcode"])
        if re.fullmatch(r" *[0-9]{1,5} *", body.get("house_number", "")):
            body["house_number"] = int(body["house_number"])
        return body


def as_meant(postcode: str) -> str:
    """Return `1O12AB` and `l012 ab` with the intended digits and letters; any other text as it is.

    A postcode has four digits and then two letters, so no other address can be meant.
    """
    match = _POSTCODE_AS_TYPED.fullmatch(postcode) if len(postcode) <= 32 else None
    if match is None:
        return postcode
    return match[1].translate(_AS_DIGITS) + match[2].translate(_AS_LETTERS)


_POSTCODE_AS_TYPED = re.compile(r" *([1-9lLiI][0-9oOlLiI]{3}) *([A-Za-z01]{2}) *")
_AS_DIGITS = str.maketrans("oOlLiI", "001111")
_AS_LETTERS = str.maketrans("01", "OI")
