"""Whatever a public function takes, returns or raises can be imported from `diffing`; so can the parts of those."""

import ast
import functools
import importlib
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import diffing

ROOT = Path(diffing.__file__).parent


@functools.cache
def module_tree(name: str) -> ast.Module:
    return ast.parse(Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8"))


@functools.cache
def names_of_ours(module: str) -> dict[str, str]:
    """The names in a module that stand for something of this package, with the module that each comes from."""
    found = {}
    for node in ast.walk(module_tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("diffing"):
            found |= {alias.asname or alias.name: node.module for alias in node.names}
    for node in module_tree(module).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = module
        if isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node.annotation):
            found[node.target.id] = module
    return found


def is_annotated(node: ast.AST) -> bool:
    """Whether it is `Annotated[type, ...]`, of which all but the type is no type."""
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Annotated"


def names_in(annotation: ast.expr | None) -> set[str]:
    """The identifiers of an annotation, also those within quotation marks."""
    if annotation is None:
        return set()
    found = set()
    described = [each.slice.elts[1:] for each in ast.walk(annotation) if is_annotated(each)]
    ignored = {id(node) for parts in described for part in parts for node in ast.walk(part)}
    for node in ast.walk(annotation):
        if id(node) in ignored:
            continue
        if isinstance(node, ast.Name):
            found.add(node.id)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"[A-Za-z_]\w*", node.value))
    return found


def names_of_function(node: ast.FunctionDef) -> set[str]:
    """Types of a function's parameters and result, and the errors that its docstring says it raises."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    found = names_in(node.returns).union(*(names_in(each.annotation) for each in arguments if each is not None))
    raises = re.search(r"^Raises:\n((?:    .*\n?|\n)+)", inspect.cleandoc(ast.get_docstring(node) or ""), re.MULTILINE)
    return found | set(re.findall(r"^    (\w+):", raises[1], re.MULTILINE)) if raises else found


def names_of_class(node: ast.ClassDef) -> set[str]:
    """Types of a class's public fields, and what its constructor and its public methods take, return and raise."""
    found: set[str] = set()
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and not each.target.id.startswith("_"):
            found |= names_in(each.annotation)
        if isinstance(each, ast.FunctionDef) and (each.name == "__init__" or not each.name.startswith("_")):
            found |= names_of_function(each)
    return found


def uses(name: str) -> set[str]:
    """The names of ours in the signature of something public, and the errors that its docstring names."""
    return uses_at(name, diffing._HOMES[name])


def uses_at(name: str, home: str) -> set[str]:
    """The same of a name in a module."""
    while name in (ours := names_of_ours(home)) and ours[name] != home:
        home = ours[name]
    known = {*names_of_ours(home), *names_of_ours("diffing.errors")}
    for node in ast.walk(module_tree(home)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return names_of_function(node) & known
        if isinstance(node, ast.ClassDef) and node.name == name:
            return names_of_class(node) & known
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            if isinstance(node.value, ast.Name) and node.value.id in known:  # another name of a class
                return uses_at(node.value.id, home)
            return names_in(node.value) & known
    raise AssertionError(f"{name} is not defined in {home}")


@pytest.mark.parametrize("name", diffing.__all__)
def test_what_a_public_name_takes_returns_and_raises_is_public(name: str) -> None:
    assert sorted(used for used in uses(name) if used not in diffing.__all__) == []


def test_public_names_are_those_of_their_homes() -> None:
    assert sorted(diffing._HOMES) == sorted(diffing.__all__)
    for name, home in diffing._HOMES.items():
        assert getattr(diffing, name) is getattr(importlib.import_module(home), name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = diffing.nothing
