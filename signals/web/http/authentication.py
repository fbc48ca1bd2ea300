"""The authentication that a view asks for, as a mark that tests read from the URL map."""

from dataclasses import dataclass

from signals.vocabulary import Role


@dataclass(frozen=True, kw_only=True)
class Authentication:
    """The means and the roles that a view asks for; without roles it asks for nothing."""

    means: str
    roles: tuple[Role, ...] = ()
