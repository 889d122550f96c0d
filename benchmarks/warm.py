"""Commands in processes that begin with everything imported: the same commands, without half a second of start-up.

``run`` asks a server, which has imported the runtime and forks one process for each command, with its own folder,
variables and files. Where nothing can be forked, or the variables say how Python is to start, a new interpreter runs.
Linux alone: elsewhere a forked process must not use everything that its parent has loaded.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from socketserver import ForkingMixIn, StreamRequestHandler

LIB = Path(__file__).resolve().parents[1] / "lib"
# What an interpreter reads when it starts, and not again.
_OF_THE_START = ("PYTHON", "LC_", "LANG", "TZ", "LD_")
_USUAL = {"PYTHONPATH": str(LIB)}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind; ``exit_status`` is negative for a signal."""

    exit_status: int
    stdout: str
    stderr: str


def run(words: Sequence[str], cwd: Path, environ: Mapping[str, str], stdin: str = "", timeout: float = 120) -> Ended:
    """Run ``tikomni <words>`` to its end, or until it is killed after ``timeout`` seconds."""
    if not _can_be_forked(environ):
        return _started(words, cwd, environ, stdin, timeout)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as asking:
        files = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        files[0].write_text(stdin, encoding="utf-8")
        asking.connect(_server())
        wanted = {"words": words, "cwd": str(cwd), "environ": dict(environ), "files": [str(file) for file in files]}
        asking.sendall(json.dumps({"wanted": wanted, "timeout": timeout}).encode() + b"\n")
        return Ended(int(asking.recv(16)), *(file.read_text("utf-8") for file in files[1:]))


def _can_be_forked(environ: Mapping[str, str]) -> bool:
    def of_the_start(variables: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in variables.items() if name.startswith(_OF_THE_START)}

    return sys.platform == "linux" and of_the_start(environ) == of_the_start(_plain()) | _USUAL


def _plain() -> dict[str, str]:
    """This process's variables without those that choose a language."""
    ours = ("TIKOMNI_", "XDG_", "LC_", "LANG")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _started(words: Sequence[str], cwd: Path, environ: Mapping[str, str], stdin: str, timeout: float) -> Ended:
    process = subprocess.Popen(
        [sys.executable, "-m", "tikomni", *words], cwd=cwd, env=environ, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return Ended(process.returncode, out, err)


@cache
def _server() -> str:
    """The address of the server, which is started when it is first needed."""
    address = Path(tempfile.mkdtemp(prefix="tikomni-warm-"), "s")
    process = subprocess.Popen(
        [sys.executable, __file__, str(address)], env=_plain() | _USUAL, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    atexit.register(process.kill)
    return str(address)


# --- in the server


def _serve(address: str) -> None:
    import pkgutil
    from importlib import import_module
    from socketserver import UnixStreamServer

    import tikomni

    for module in pkgutil.walk_packages(tikomni.__path__, "tikomni."):
        if not module.name.endswith("__main__"):
            import_module(module.name)

    class Server(ForkingMixIn, UnixStreamServer):
        max_children = 100

        def service_actions(self) -> None:
            super().service_actions()
            if os.getppid() != parent:  # whoever wanted commands is gone
                sys.exit()

    parent = os.getppid()
    with Server(address, _Handler) as server:
        print("ready", flush=True)
        server.serve_forever()


class _Handler(StreamRequestHandler):
    """In a process of its own for each command, whose child is the command."""

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        child = os.fork()
        if not child:
            os._exit(_command(**asked["wanted"]))
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, asked["timeout"])
        self.wfile.write(b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _command(words: list[str], cwd: str, environ: dict[str, str], files: list[str]) -> int:
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    for number, (file, mode) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)):
        os.dup2(os.open(file, mode | os.O_CREAT), number)
    from tikomni.cli import main

    sys.argv = ["tikomni", *words]
    status = main(words)
    threading._shutdown()  # these two are what an interpreter does at its end, and a forked process has to do itself
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    _serve(sys.argv[1])
