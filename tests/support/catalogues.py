"""The folder of the pages, and the compiler of translations that `make` uses."""

from pathlib import Path

from tools.catalogues import compile_catalogues

__all__ = ["WEB", "compile_catalogues"]

WEB = Path(__file__).resolve().parents[2] / "signals" / "web"
