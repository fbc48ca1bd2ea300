"""What a view asks of whoever opens it, as a mark that tests read from the URL map."""

from dataclasses import dataclass

from signals.vocabulary import Role


@dataclass(frozen=True, kw_only=True)
class Authentication:
    """What a view asks for; `roles` empty: nothing."""

    means: str
    roles: tuple[Role, ...] = ()
