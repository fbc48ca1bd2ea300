"""Give every test of a command the console script on an installation of its own."""

from tests.support.commands import installed, signals

__all__ = ["installed", "signals"]
