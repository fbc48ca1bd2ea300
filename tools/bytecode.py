"""Import each module of the product once, so that Python stores its bytecode.

An account that may not write here then starts as quickly as any other.
"""

import importlib
import pkgutil

import notifications
import privacy
import signals

IMPORTED_LATE = ("alembic.command", "twilio.rest", "typst", "xlsxwriter")


def main() -> None:
    """Import the packages, and the libraries that they import inside functions."""
    for package in (notifications, privacy, signals):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in IMPORTED_LATE:
        importlib.import_module(name)


if __name__ == "__main__":
    main()
