"""How a thin script of a skill reaches the runtime, whichever ``python3`` it was started with.

Standard library only, valid on Python 3.8, quick to import. It hands over or says how to prepare the
environment; it never prepares anything unasked, because an agent's shell may be killed before that ends.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from tikomni.install.language import of_locale
from tikomni.install.managed import ROOT, locate, print_document

# Set for the interpreter that a script hands over to, which must not hand over again.
HANDED_OVER = "TIKOMNI_HANDED_OVER"
# What the base set brings, by the names that are imported.
PACKAGES = "PIL dotenv httpx2 jinja2 jmespath jsonschema pysubs2 rjieba tqdm xlsxwriter yaml".split()
EXIT_INPUT, EXIT_INTERRUPTED = 2, 130  # errors.py says the same; it needs a newer Python
_NOT_PREPARED = {
    "en": (
        "The Python environment of this version is not prepared ({}).",
        "Run the command in `next` once; it prepares Python.",
    ),
    "zh": ("这个版本的 Python 环境尚未准备（{}）。", "请先运行一次 next 中的命令准备 Python 环境。"),
}


def run(command: list[str]) -> NoReturn:
    """Run ``tikomni <command> <the script's arguments>`` in the managed environment and exit as it does.

    ``TIKOMNI_PYTHON_OK=1`` says that the running Python has what the runtime needs.
    """
    # Not resolved: where a skill is a link, settings stand beside the folder that the agent knows.
    script = Path(os.path.abspath(sys.argv[0]))
    os.environ["TIKOMNI_SKILL_DIR"] = str(script.parent.parent)
    environment = locate()
    told = os.environ.pop(HANDED_OVER, None) or os.environ.get("TIKOMNI_PYTHON_OK") == "1"
    ready = environment.is_ready()
    # `uv run` has made an environment of its own, from the script's header.
    if told or (_inside(environment.folder) if ready else _has_packages()):
        if ready:
            environment.used()
            _keep_bytecode(environment.folder / "pycache")
        from tikomni.cli import run as run_command

        run_command([*command, *sys.argv[1:]])
    if ready:
        again = [str(environment.python), "-X", "utf8", str(script), *sys.argv[1:]]
        _hand_over(again, PYTHONPATH=None, **{HANDED_OVER: "1"})
    message, hint = _NOT_PREPARED[of_locale()]
    setup_script = [sys.executable, str(script.parent / "setup_env.py")]
    _give_up(" ".join(command) or "tikomni-skills", message.format(environment.folder), hint, setup_script)


def setup() -> NoReturn:
    """Prepare the environment with the first Python on this machine that can; what ``setup_env.py`` calls."""
    known = json.loads(Path(__file__).with_name("interpreters.json").read_text(encoding="utf-8"))
    for candidate in [[sys.executable], *known["candidates"]]:
        if _succeeds([*candidate, "-c", known["probe"]]):
            # -P: nothing in the working directory can pass for a module.
            # -B: nothing is compiled into the skill folder.
            module = ["-P", "-B", "-m", "tikomni.install.environment"]
            _hand_over([*candidate, *module, *sys.argv[1:]], PYTHONPATH=str(ROOT / "lib"))
    advice = known["advice"].get(sys.platform, known["advice"]["linux"])
    _give_up("env", known["missing"][of_locale()], advice[of_locale()])


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _hand_over(command: list[str], **variables: str | None) -> NoReturn:
    """Become ``command``; ``variables`` are changed in its environment, those that are None removed."""
    changed = {**os.environ, **variables}
    environ = {name: value for name, value in changed.items() if value is not None}
    if os.name != "nt":
        os.execvpe(command[0], command, environ)
    try:  # Windows' exec returns to the shell at once, so there we wait
        sys.exit(subprocess.call(command, env=environ))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _has_packages() -> bool:
    return sys.version_info >= (3, 11) and all(map(find_spec, PACKAGES))


def _keep_bytecode(folder: Path) -> None:
    """Keep what Python compiles of our modules in ``folder``: a skill folder holds what was installed, and may be
    read-only. Packages and the standard library go on with their own."""

    class Loader(SourceFileLoader):
        def get_code(self, fullname: str) -> Any:
            before, sys.pycache_prefix = sys.pycache_prefix, str(folder)
            try:
                return super().get_code(fullname)
            finally:
                sys.pycache_prefix = before

    def finder(path: str) -> FileFinder:
        if not path.startswith(ours):
            raise ImportError(path)
        return FileFinder(path, (Loader, SOURCE_SUFFIXES))

    ours = str(ROOT / "lib")
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.path_hooks.insert(0, finder)
    for path in [path for path in sys.path_importer_cache if path.startswith(ours)]:
        del sys.path_importer_cache[path]


def _inside(folder: Path) -> bool:
    return os.path.realpath(sys.prefix) == os.path.realpath(folder)


def _give_up(command: str, message: str, hint: str, next_command: list[str] | None = None) -> NoReturn:
    error = {"code": "no_environment", "message": message, "hint": hint, "retryable": False, "details": {}}
    document = {"ok": False, "command": command, "status": "failed", "error": error}
    if next_command:
        why = "prepares the environment, once for all skills"
        document["next"] = [{"command": pasteable(next_command), "why": why}]
    print_document(document)
    sys.exit(EXIT_INPUT)


def pasteable(command: list[str]) -> str:
    """``command`` quoted for the shell of this system."""
    return subprocess.list2cmdline(command) if os.name == "nt" else " ".join(map(shlex.quote, command))
