"""Find what keeps the skills from working, with the command that mends each; exit status 3 where there is something.

--fix undoes what a killed change left and rebuilds a damaged Python environment. --online asks whether the upstream
can be reached and does not refuse the key, which costs nothing; --billed proves the key for one call's price. The key
is never shown.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tikomni import __version__
from tikomni.cli.base import Context, Next, Outcome, Parser, add_common, join
from tikomni.cli.places import command, spoken
from tikomni.errors import TikomniError
from tikomni.install import doctor, environment, verbs
from tikomni.install.doctor import Finding
from tikomni.install.words import say

Answer = tuple[str, TikomniError | None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fix", action="store_true", help="mend the environment and interrupted changes")
    parser.add_argument("--dry-run", action="store_true", help="with --fix: only look")
    parser.add_argument("--online", action="store_true", help="ask the upstream, for free")
    parser.add_argument(
        "--billed", action="store_true", help="ask it for something that it charges, which proves the key"
    )
    add_common(parser)


@spoken
def run(args: argparse.Namespace, context: Context) -> Outcome:
    places = verbs.places_in_use(None, None, None)
    if args.fix and not args.dry_run:
        doctor.fix(places, context.progress(args).note, context.language)
    findings = doctor.look(places)
    asked: dict[str, Answer] = {}  # each key is asked for once
    keys = [_key(args, context, place, asked) for place in places]
    findings += [finding for key in keys for finding in key.pop("findings")]
    rows = [_row(finding, context.language) for finding in findings]
    bad = any(row["level"] == "problem" for row in rows)
    place = environment.locate()
    result = {
        "version": __version__,
        "python": {"path": sys.executable, "version": sys.version.split()[0]},
        "environment": {"path": str(place.folder), "ready": place.is_ready(), "sets": sorted(place.installed())},
        "places": [
            {"agent": place.agent.id, "folder": str(place.folder), "skills": verbs.ours_in(place.folder), "key": key}
            for place, key in zip(places, keys, strict=True)
        ],
        "findings": rows,
    }
    lines = [f"tikomni-skills {__version__} · Python {result['python']['version']} · {place.folder}"]
    lines += [f"{row['agent']}: {row['folder']}" for row in result["places"]]
    lines += [f"[{say(row['level'], context.language)}] {row['message']}\n    → {row['mend']}" for row in rows]
    lines += [] if rows else [say("healthy", context.language)]
    next = tuple(Next(row["mend"], row["message"]) for row in rows if row["level"] == "problem" and row["command"])
    return Outcome(result=result, status="partial" if bad else "complete", next=next[:5], plain=tuple(lines), full=True)


def _row(finding: Finding, language: str) -> dict[str, Any]:
    """``command`` says whether ``mend`` can be run as it is."""
    return {
        "code": finding.code,
        "level": finding.level,
        "message": say(f"doctor_{finding.code}", language, **finding.values),
        "mend": command(finding.mend) if finding.mend else finding.advice,
        "command": bool(finding.mend),
    }


def _key(args: argparse.Namespace, context: Context, place: verbs.Place, asked: dict[str, Answer]) -> dict[str, Any]:
    """Whether the skills in ``place`` find a key: ``{present, from, online}``, and what is wrong with it."""
    from tikomni.settings_load import load

    skill = place.folder / verbs.ours_in(place.folder)[0]
    env = place.folder / ".env"
    key: dict[str, Any] = {"present": None, "from": None, "online": None, "findings": []}
    try:
        settings = load({}, skill_dir=skill, env_file=args.env_file, config=args.config)
    except ImportError:  # no environment: reading .env wants its packages
        return key
    except TikomniError as error:
        key["findings"].append(
            Finding("settings", "problem", advice=error.hint(context.language), values={"message": error.message})
        )
        return key
    try:
        value = settings.require_key()
        source = settings.sources["api_key"] if settings.api_key else settings.sources["tikhub_api_key"]
        key |= {"present": True, "from": source}
        key["findings"] += _readable_by_others(Path(source))
    except TikomniError as error:
        key["present"] = False
        if error.code != "missing_key":
            source = next(settings.sources[name] for name in ("api_key", "tikhub_api_key") if getattr(settings, name))
            advice = _edit(Path(source)) if Path(source).is_file() else error.hint(context.language)
            finding = Finding(f"key_{error.code}", "problem", advice=advice, values={"source": source})
        elif env.exists():
            finding = Finding("no_key_in", "problem", advice=_edit(env), values={"path": str(env)})
        else:
            mend = ("env", "init", *doctor.words(place))
            finding = Finding("no_key", "problem", mend, values={"path": str(place.folder)})
        key["findings"].append(finding)
        return key
    if args.online or args.billed:
        if value not in asked:
            asked[value] = _ask(args, context, skill)
        key["online"], error = asked[value]
        if error is not None:
            values = {"message": error.message}
            advice = error.hint(context.language)
            key["findings"].append(Finding("key_refused", "problem", advice=advice, values=values))
    return key


def _readable_by_others(path: Path) -> list[Finding]:
    if os.name == "nt" or not path.is_file() or not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return []
    return [Finding("key_readable", "problem", advice=join(["chmod", "600", str(path)]), values={"path": str(path)})]


def _edit(path: Path) -> str:
    return f"{'notepad' if os.name == 'nt' else '${EDITOR:-vi}'} {join([path])}"


def _ask(args: argparse.Namespace, context: Context, skill: Path) -> Answer:
    """What ``auth`` finds out of the key, or why it does not."""
    from tikomni.cli import auth

    parser = Parser(prog="auth")
    auth.add_arguments(parser)
    asked = parser.parse_args(["--billed"] if args.billed else [])
    asked.env_file, asked.config = args.env_file, args.config
    try:
        outcome = auth.run(asked, replace(context, skill_dir=skill))
    except TikomniError as error:
        return "refused", error
    return outcome.result.get("key", "refused"), outcome.error
