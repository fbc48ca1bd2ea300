"""The house stays small: short functions, short modules, and a folder that says where to start."""

import ast
from statistics import median, quantiles

from tools.sizes import PRODUCT, PROJECT, functions, modules

MODULE, FUNCTION = 350, 60


def test_no_module_has_more_lines_than_a_reader_takes_in() -> None:
    assert {file: lines for file, lines in modules(*PRODUCT).items() if lines > MODULE} == {}


def test_functions_are_short() -> None:
    lengths = dict(functions(*PRODUCT))
    assert {place: lines for place, lines in lengths.items() if lines > FUNCTION} == {}
    assert median(lengths.values()) <= 8
    assert quantiles(lengths.values(), n=10)[-1] <= 20


def test_few_modules_lie_outside_a_folder() -> None:
    assert len(list((PROJECT / "signals").glob("*.py"))) <= 8


def test_each_folder_says_what_it_is_for() -> None:
    faces = (PROJECT / "signals").rglob("__init__.py")
    assert [
        face for face in faces if not ast.get_docstring(ast.parse(face.read_text(encoding="utf-8")))
    ] == []


def test_nothing_imports_a_test_module_or_a_conftest() -> None:
    found = [
        f"{file}: {node.module}"
        for file in modules("tests")
        for node in ast.walk(ast.parse((PROJECT / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").rpartition(".")[2].startswith(("test_", "conftest"))
    ]
    assert found == []
