"""Makes the archive that npm ships: the runtime without comments and docstrings, its tables without comments, the
skills without the pages that are made again when they are installed.

Run by ``npm pack`` (prepack), before ``compress.mjs``; ``--clean`` takes everything away again (postpack). Without it
npm ships ``lib/`` and ``skills/`` as they are: larger, and the same to a user. Line numbers stay, so that a traceback
fits the repository. The archive is a line of JSON, ``[[path, bytes], ...]``, then the files' bytes; ``bin/unpack.js``
reads it. Same source, same bytes. Standard library only.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "lib"))
from tikomni.install.package import DEVELOPMENT  # noqa: E402

ARCHIVE = ROOT / "runtime"
COMPRESSED = ROOT / "runtime.br"

# What the archive holds, and stands in for.
FOLDERS = ("lib", "skills", "requirements")
FILES = ("env.example", "LICENSE")
LEFT_OUT = (
    *("*/__pycache__/*", "*.py[cod]", ".*", "*/.*", "*.tmp"),
    *("skills/*/evals/*", "skills/meta-capability/references/routes/*"),
    *("requirements/test.txt", "requirements/local-asr-test.txt"),
    *DEVELOPMENT,
)
# Their docstrings are what --help prints.
SPEAKING = "lib/tikomni/cli/*.py"
# A comment in a table. Texts of several lines are indented, so that one of theirs is never taken for it.
NOTE = re.compile(r"^#.*$", re.M)


def main(arguments: list[str]) -> int:
    clean()
    if "--clean" in arguments:
        return 0
    files = {path.relative_to(ROOT).as_posix(): shipped(path) for path in sources()}
    names = json.dumps([[name, len(data)] for name, data in files.items()], separators=(",", ":"))
    ARCHIVE.write_bytes(b"\n".join((names.encode(), b"".join(files.values()))))
    for folder in FOLDERS:
        (ROOT / folder / ".npmignore").write_text("*\n")
    return 0


def clean() -> None:
    for file in (ARCHIVE, COMPRESSED, *(ROOT / folder / ".npmignore" for folder in FOLDERS)):
        file.unlink(missing_ok=True)


def sources() -> list[Path]:
    """The files of the repository that are shipped, those of a kind together: they pack better."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    found += [ROOT / name for name in FILES]
    kept = (path for path in found if not any(fnmatch(path.relative_to(ROOT).as_posix(), out) for out in LEFT_OUT))
    return sorted(kept, key=lambda path: (path.suffix, path))


def shipped(path: Path) -> bytes:
    """The bytes of a file as it is shipped."""
    name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    if name.startswith("lib/") and path.suffix == ".py":
        text = stripped(text, keep_docstring=fnmatch(name, SPEAKING))
    elif name.startswith("lib/") and path.suffix == ".yaml":
        text = NOTE.sub("", text)
    return text.encode()


def stripped(source: str, *, keep_docstring: bool = False) -> str:
    """``source`` without comments and docstrings, each line where it was.

    Of a class's docstring the first line stays: a dataclass without one makes its own when it is imported, which takes
    time. ``keep_docstring`` keeps the module's.
    """
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith("#!"):
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() + "\n"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module) and keep_docstring:
            continue
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node, lines)
    _drop_loose_strings(source, lines)
    return "".join(lines)


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> None:
    first = node.body[0] if node.body else None
    text = _text(first)
    if first is None or text is None:
        return
    instead = (
        repr(text.strip().split("\n")[0]) if isinstance(node, ast.ClassDef) else "..." if len(node.body) == 1 else ""
    )
    _replace(first, lines, instead)


def _drop_loose_strings(source: str, lines: list[str]) -> None:
    """What stands below a constant to explain it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef):
            for before, statement in pairwise(node.body):
                if _text(statement) is not None and isinstance(before, ast.Assign | ast.AnnAssign):
                    _replace(statement, lines, "")


def _text(statement: ast.stmt | None) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return statement.value.value if isinstance(statement.value.value, str) else None
    return None


def _replace(statement: ast.stmt, lines: list[str], text: str) -> None:
    first, last = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
    head = lines[first].encode()[: statement.col_offset].decode()
    tail = lines[last].encode()[statement.end_col_offset :].decode()
    lines[first : last + 1] = [(head + text).rstrip() + tail if first == last else (head + text).rstrip() + "\n"] + [
        "\n"
    ] * (last - first)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
