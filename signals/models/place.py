"""Names of places by address, from public files. The role of the front may not read them."""

from typing import Final

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from signals.models.base import Base

STREET: Final = "street"
NEIGHBOURHOOD: Final = "neighbourhood"


class PlacePage(Base):
    """The names of one kind for the addresses of one four-digit postcode; `routing.place_pages` reads `page`.

    `file`: the SHA-256 of the file. Pages of a file that an import has not finished are not in use.
    """

    __tablename__ = "place_pages"
    __table_args__ = (CheckConstraint(f"kind IN ('{STREET}', '{NEIGHBOURHOOD}')", name="kind"),)

    kind: Mapped[str] = mapped_column(String(13), primary_key=True)
    pc4: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    in_use: Mapped[bool]
    page: Mapped[bytes] = mapped_column(LargeBinary)
