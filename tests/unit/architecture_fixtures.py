"""The project's own source as syntax trees, Snakemake files included, and what in them reaches into Snakemake."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PUBLIC_MODULES = ("utils", "exceptions", "logging", "api", "settings")
# What objects of Snakemake's are called, by Snakemake in its files and by everybody elsewhere.
OBJECTS = frozenset({"workflow", "dag", "scheduler", "persistence", "job", "rule", "rules", "checkpoints", "logger"})
HANDLERS = frozenset({"handlers", "addHandler", "removeHandler", "filters", "addFilter", "removeFilter", "setLevel"})

# Snakemake's words: blocks that hold directives or Python, and directives, whose content reads as arguments of a call.
_BLOCK = re.compile(r"(?P<indent>\s*)(?:(?:rule|checkpoint|module)\b[^:]*|onstart|onsuccess|onerror|run):\s*(?:#.*)?$")
_DIRECTIVE = re.compile(
    r"(?P<indent>\s*)(?P<word>include|configfile|workdir|localrules|ruleorder|wildcard_constraints|envvars|report|"
    r"container|containerized|conda|scattergather|pepfile|pepschema|resource_scopes|storage|inputflags|outputflags|"
    r"input|output|params|log|benchmark|threads|resources|shell|script|notebook|wrapper|cwl|message|name|priority|"
    r"group|cache|handover|shadow|retries|localrule|default_target|envmodules|template_engine|snakefile|config|prefix|"
    r"skip_validation|replace_prefix|meta_wrapper):(?P<content>.*)$"
)
_USE_RULE = re.compile(r"(?P<indent>\s*)use rule .*")


def source_files(project: Path) -> list[Path]:
    """Return all Python and Snakemake files of the project, not those of its environment or its data."""
    folders = (project / name for name in ("scripts", "rules", "profiles", "tests", "benchmarks", ".ci"))
    results = project / "benchmarks" / "results"
    found = (file for folder in folders for file in folder.rglob("*") if results not in file.parents)
    return sorted([project / "Snakefile", *(file for file in found if _is_source(file))])


def _is_source(file: Path) -> bool:
    return file.suffix in (".py", ".smk") or file.name == "Snakefile"


def tree_of(file: Path) -> ast.Module:
    """Return the syntax tree of a file. Raises SyntaxError, with the file's name, for one that cannot be read."""
    source = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        source = as_python(source)
    return ast.parse(source, str(file))


def as_python(source: str) -> str:
    """Write a Snakemake file as Python of the same meaning for imports, assignments and names, line for line.

    Snakemake's own parser does that too, but is none of its public modules.
    """
    lines: list[str] = []
    open_calls: list[int] = []  # where the directives begin whose content is being read

    def end_calls(indent: int) -> None:
        while open_calls and indent <= open_calls[-1]:
            open_calls.pop()
            last = max(
                number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")
            )
            lines[last] += ")" if "#" not in lines[last] else "\n)"

    for line in source.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            end_calls(len(line) - len(line.lstrip()))
        lines.append(_as_python_line(line, open_calls))
    end_calls(0)
    return "\n".join(lines) + "\n"


def _as_python_line(line: str, open_calls: list[int]) -> str:
    if open_calls:
        return line
    if block := _BLOCK.match(line):
        return f"{block['indent']}if True:"
    if use := _USE_RULE.match(line):
        return f"{use['indent']}pass"
    if directive := _DIRECTIVE.match(line):
        open_calls.append(len(directive["indent"]))
        return f"{directive['indent']}{directive['word']}({directive['content']}"
    return line


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Yield the full name of every module that is imported, and of every name that is imported from `snakemake`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"snakemake.{name.name}" for name in node.names] if node.module == "snakemake" else [node.module]
            yield from names
        elif isinstance(node, ast.Call) and _last_name(node.func) in ("import_module", "__import__"):
            yield from (str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant))


def private_imports(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of Snakemake that are imported although they are not public."""
    for module in imported_modules(tree):
        first, _, rest = module.partition(".")
        if first == "snakemake" and rest.partition(".")[0] not in PUBLIC_MODULES:
            yield f"imports {module}"


def changes_in_snakemake(tree: ast.Module) -> Iterator[str]:
    """Yield assignments to attributes of Snakemake's modules, classes and objects, and uses of its log's handlers."""
    foreign = OBJECTS | _names_from_snakemake(tree)
    for node in ast.walk(tree):
        for target in _targets(node):
            if isinstance(target, ast.Attribute) and foreign & set(_chain(target.value)):
                yield f"assigns to {ast.unparse(target)}"
        if isinstance(node, ast.Call) and _last_name(node.func) in ("setattr", "delattr"):
            yield from (f"assigns to {ast.unparse(one)}" for one in node.args[:1] if foreign & set(_chain(one)))
        if isinstance(node, ast.Attribute) and node.attr in HANDLERS and "logger" in _chain(node.value):
            yield f"uses {ast.unparse(node)}"


def readings_of_the_command_line(tree: ast.Module) -> Iterator[str]:
    """Yield each use of `sys.argv` and `sys.orig_argv`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("argv", "orig_argv") and "sys" in _chain(node.value):
            yield f"reads {ast.unparse(node)}"
        if isinstance(node, ast.ImportFrom) and node.module == "sys":
            yield from (f"reads sys.{name.name}" for name in node.names if name.name in ("argv", "orig_argv"))


def _names_from_snakemake(tree: ast.Module) -> frozenset[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "snakemake":
            names |= {name.asname or name.name for name in node.names}
        if isinstance(node, ast.Import):
            modules = (name for name in node.names if name.name.partition(".")[0] == "snakemake")
            names |= {name.asname or "snakemake" for name in modules}
    return frozenset(names)


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        for target in node.targets:
            yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.NamedExpr):
        yield node.target


def _chain(node: ast.AST) -> list[str]:
    """Return the names of `a.b().c[d].e`: a, b, c, e."""
    if isinstance(node, ast.Attribute):
        return [*_chain(node.value), node.attr]
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Call):
        return _chain(node.func)
    if isinstance(node, ast.Subscript):
        return _chain(node.value)
    return []


def _last_name(node: ast.AST) -> str:
    return (_chain(node) or [""])[-1]
