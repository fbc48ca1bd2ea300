"""The form for an address, as the officer's pages and the search post it."""

from typing import Any

from marshmallow import ValidationError

from signals.web.http.fields import AdditionField, HouseNumberField, PostcodeField
from signals.web.staff_kit import forms


class TypedNumber(HouseNumberField):
    """A house number as somebody typed it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        text = str(value).strip()
        if not text.isascii() or not text.isdecimal():
            raise ValidationError("house_number")
        return super()._deserialize(int(text[:9]), attr, data, **kwargs)


class AddressForm(forms.Form):
    """An address."""

    postcode = PostcodeField(required=True)
    house_number = TypedNumber(required=True)
    house_number_addition = AdditionField(load_default="")
