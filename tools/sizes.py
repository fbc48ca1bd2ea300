"""Print the sizes of the house: lines by part, and the longest functions and modules.

Run it as `python -m tools.sizes`. `tests/architecture/test_sizes.py` holds the limits.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

PROJECT = Path(__file__).resolve().parents[1]
PRODUCT = ("signals", "notifications", "privacy")


def modules(*folders: str) -> dict[Path, int]:
    """Return the lines of each Python module below these folders."""
    files = (file for folder in folders for file in sorted((PROJECT / folder).rglob("*.py")))
    return {
        file.relative_to(PROJECT): len(file.read_text(encoding="utf-8").splitlines())
        for file in files
        if "node_modules" not in file.parts
    }


def functions(*folders: str) -> Iterator[tuple[str, int]]:
    """Yield (place, lines of its body) of each function; the docstring does not count."""
    for file in modules(*folders):
        for node in ast.walk(ast.parse((PROJECT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                yield f"{file}:{node.name}", (node.end_lineno or 0) - first.lineno + 1


def words() -> int:
    """Return the words of README.md and of every page in docs/."""
    pages = [PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")]
    return sum(len(page.read_text(encoding="utf-8").split()) for page in pages)


def main() -> None:
    """Print the table."""
    lengths = [length for _place, length in functions(*PRODUCT)]
    rows = {
        "product, lines": sum(modules(*PRODUCT).values()),
        "tests, lines": sum(modules("tests").values()),
        "documents, words": words(),
        "function, median lines": median(lengths),
        "function, 90th percentile": quantiles(lengths, n=10)[-1],
        "function, longest": max(lengths),
        "module, longest": max(modules(*PRODUCT).values()),
    }
    for name, value in rows.items():
        print(f"{name:28}{value:>10,.0f}")


if __name__ == "__main__":
    main()
