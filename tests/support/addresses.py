"""Compile addresses once in a test process: Werkzeug compiles 240 for each desk, half of its cost."""

from typing import Any, ClassVar

from flask import Flask
from werkzeug.routing import Rule


class SharedRule(Rule):
    """A rule that takes what was compiled from an equal rule of another application."""

    _compiled: ClassVar[dict[Any, Rule]] = {}

    def compile(self) -> None:
        key = (self.rule, self.subdomain, self.host, repr(self.defaults), self.merge_slashes)
        known = self._compiled.get(key)
        if known is None:
            super().compile()
            self._compiled[key] = self
            return
        self.arguments |= known.arguments
        for name in ("_parts", "_trace", "_converters", "_build", "_build_unknown"):
            setattr(self, name, getattr(known, name))


def share_compiled_addresses() -> None:
    """Give every application that this process makes such rules."""
    Flask.url_rule_class = SharedRule
