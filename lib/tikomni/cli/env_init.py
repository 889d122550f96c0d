"""Write the `.env` that skills read their key from, beside them, from env.example; mode 600, asking nothing.

Where one exists it is left alone. (`config init` writes the YAML file for everything but keys.)
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tikomni.cli.base import Context, Outcome, add_common
from tikomni.cli.places import folder, given, nothing_installed, spoken
from tikomni.errors import InputError
from tikomni.install import verbs
from tikomni.install.agents import agents
from tikomni.install.managed import ROOT
from tikomni.install.words import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(agent.id for agent in agents())
    text = f"{names} (default: all that have skills of ours)"
    parser.add_argument("agent", type=given, metavar="AGENT", nargs="?", help=text)
    parser.add_argument("--scope", choices=("user", "project"), help="the user's folder, or the working directory's")
    parser.add_argument("--dir", type=folder, metavar="DIR", help="a skills folder other than the agent's own")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    add_common(parser)


@spoken
def run(args: argparse.Namespace, context: Context) -> Outcome:
    named = args.agent or args.dir
    places = (
        verbs.places_to_install(args.agent, args.scope or "user", args.dir)
        if named
        else verbs.places_in_use(None, args.scope, None)
    )
    if not places:
        raise nothing_installed(args)
    text = (ROOT / "env.example").read_text(encoding="utf-8")
    rows, lines = [], []
    for place in places:
        path = place.folder / ".env"
        written = not path.exists() if args.dry_run else write_private(path, text)
        rows.append({"path": str(path), "written": written})
        key = ("env_would" if args.dry_run else "env_written") if written else "env_exists"
        lines.append(say(key, context.language, path=path))
    return Outcome(result={"dry_run": args.dry_run, "files": rows}, plain=tuple(lines))


def write_private(path: Path, text: str) -> bool:
    """Write ``text`` to a new file that only its owner may read; ``False`` where there is one (or a link).

    Raises:
        InputError: ``storage``.
    """
    import os

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise InputError("storage", f"{path}: {error.strerror or error}.") from None
    return True
