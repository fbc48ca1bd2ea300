"""Compile addresses once in a test process: Werkzeug compiles 230 for each desk, a third of the CPU."""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import Flask
from werkzeug.routing import Rule


class SharedRule(Rule):
    """A rule that takes its builder from an equal rule of another application."""

    _compiled: ClassVar[dict[Any, Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._compiled:
            self._compiled[key] = super()._compile_builder(append_unknown)
        return self._compiled[key]


def share_compiled_addresses() -> None:
    """Give every application that this process makes such rules."""
    Flask.url_rule_class = SharedRule
