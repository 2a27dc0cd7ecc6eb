"""`rostra_verify.py`: the verifier and the verdict in one file, in an order in which it can be read and run.

Imports of one another are taken out, the others stand once at the top. A name that two modules give to different
things gets its module's name in front, there and where it is imported.
"""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from rostra import verdict, verifier
from rostra.core.errors import BadInputError
from rostra.verdict.code import code_digest

FILE: Final = "rostra_verify.py"
_PROGRAM: Final = "rostra.verifying"
_CODE: Final = "rostra.verdict.code"  # in one file there are no files to hash: its answer is written down
_TABLES: Final = re.compile(r'files\(__package__\)\.joinpath\("([a-z_]+\.json)"\)\.read_text\(encoding="utf-8"\)')
_HEAD: Final = '''"""Checks a ledger of Rostra: `python rostra_verify.py BUNDLE|URL`. It needs `cryptography` alone.

Made by tools/single_file.py of the modules that are named below, in the order in which they need each other. Read
first: `verify`, near the end, is the list of what is asked; each class with a `take` is a question.
"""
'''


class Module(NamedTuple):
    """`imports` are lines that import what is not ours."""

    name: str
    source: str
    needs: dict[str, str]  # name here: module that defines it
    imports: tuple[str, ...]
    defined: dict[str, str]  # name: how it is defined


@cache
def single_file() -> str:
    """The whole program. BadInputError if the modules cannot be one file."""
    folders = {package.__name__: Path(package.__path__[0]) for package in (verdict, verifier)}
    modules = [
        _module(name, path)
        for package, folder in folders.items()
        for path in sorted(folder.rglob("*.py"))
        if (name := ".".join((package, *path.relative_to(folder).with_suffix("").parts)))
        and path.stem != "__init__"
    ]
    program = Path(verifier.__path__[0]).with_name("verifying.py")
    modules.append(_module(_PROGRAM, program))
    ordered = list(_ordered({module.name: module for module in modules}))
    meanings = Counter(name for name, _ in {item for module in ordered for item in module.defined.items()})
    imports = {line for each in ordered for line in each.imports if each.name != _CODE}
    foreign = {name for line in imports for name in line.split(" import ")[-1].split(", ")}
    shared = {name for name, count in meanings.items() if count > 1 or name in foreign}
    parts = [_HEAD, "\n".join(_merged(imports))]
    for module in ordered:
        source = _code() if module.name == _CODE else _renamed(module, shared)
        parts.append(f"\n\n# {'-' * 100}\n# {module.name}\n\n{source.strip()}\n")
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def _merged(imports: set[str]) -> list[str]:
    """One line for each module from which something is imported."""
    names: dict[str, set[str]] = {}
    for line in imports:
        module, separator, rest = line.removeprefix("from ").partition(" import ")
        names.setdefault(module if separator else line, set()).update(rest.split(", ") if separator else ())
    lines = (f"from {each} import {', '.join(sorted(found))}" if found else each for each, found in names.items())
    return sorted(lines, key=lambda line: (line.startswith("from"), line))


def _code() -> str:
    about = '"""Of the modules of which this file was made."""'
    return f'def code_digest() -> str:\n    {about}\n    return "{code_digest()}"'


def _module(name: str, path: Path) -> Module:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    needs: dict[str, str] = {}
    imports: list[str] = []
    defined: dict[str, str] = {}
    for node in reversed(tree.body):
        match node:
            case ast.ImportFrom(module=str(needed)) if needed.startswith("rostra."):
                if any(alias.asname for alias in node.names):
                    raise BadInputError(f"{name} renames what it imports from {needed}.")
                needs |= {alias.name: needed for alias in node.names}
            case ast.Import() | ast.ImportFrom():
                imports.append(ast.unparse(node))
            case ast.FunctionDef() | ast.ClassDef():
                defined[node.name] = ast.unparse(node)
                continue
            case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(id=target)):
                defined[target] = ast.unparse(node)
                continue
            case _:
                continue
        del lines[node.lineno - 1 : node.end_lineno]
    text = _TABLES.sub(lambda found: _literal((path.parent / found[1]).read_text("utf-8")), "".join(lines))
    return Module(name, _commented(text), needs, tuple(imports), defined)


def _literal(text: str) -> str:
    """The table as its file has it."""
    assert "'''" not in text
    assert "\\" not in text
    return f"'''{text}'''"


def _commented(source: str) -> str:
    """The module's own sentence becomes a comment: in the middle of a file it would be a value of nothing."""
    docstring = ast.get_docstring(ast.parse(source), clean=False)
    if docstring is None:
        return source
    comment = "".join(f"# {line}".rstrip() + "\n" for line in docstring.strip().splitlines())
    return comment + source.replace(f'"""{docstring}"""', "", 1)


def _ordered(modules: dict[str, Module]) -> Iterator[Module]:
    """Each after all that it needs."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[Module]:
        if name in done:
            return
        done.add(name)
        if name not in modules:
            raise BadInputError(f"{name} is needed, and is no module of the verifier.")
        for needed in sorted(set(modules[name].needs.values())):
            yield from visit(needed)
        yield modules[name]

    for name in sorted(modules, key=lambda each: (each == _PROGRAM, each)):
        yield from visit(name)


def _renamed(module: Module, shared: set[str]) -> str:
    homes = dict.fromkeys(module.defined, module.name) | module.needs
    fronts = {name: homes[name].rpartition(".")[2] for name in sorted(shared.intersection(homes))}
    new = {name: f"_{front}{name}" if name.startswith("_") else f"{front}_{name}" for name, front in fronts.items()}
    lines = module.source.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(module.source).readline))
    for before, token, after in reversed(list(zip(tokens, tokens[1:], tokens[2:], strict=False))):
        (row, begin), (last, end) = token.start, token.end
        if token.type == tokenize.NAME and token.string in new and not _is_field(before, token, after):
            line = lines[row - 1]
            lines[row - 1] = line[:begin] + new[token.string] + line[end:]
        elif token.type == tokenize.STRING and "f" in token.string[:2].lower() and row == last:  # Python 3.11
            line, text = lines[row - 1], token.string
            for name, renamed in new.items():
                text = re.sub(rf"(?<![\w.]){name}\b(?=[^}}]*}})", renamed, text)
            lines[row - 1] = line[:begin] + text + line[end:]
    return "".join(lines)


def _is_field(before: tokenize.TokenInfo, token: tokenize.TokenInfo, after: tokenize.TokenInfo) -> bool:
    """Of an object, of a class (or a method), or of a call."""
    inner, indented = token.start[1] > 0, before.start[1] > 0
    begins = before.type in {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT}
    return (
        before.string == "."
        or (indented and before.string in {"def", "class"})
        or (inner and begins and after.string == ":")
        or (before.string in {"(", ","} and after.string == "=")
    )
