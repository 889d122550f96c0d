"""Remove everything that is kept of a work or a creator. Lists it first, and removes it only with --yes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, get_args

from tikomni.cli.base import Context, Next, Outcome, add_common, add_output_arguments, paste
from tikomni.cli.looks import size

if TYPE_CHECKING:
    from tikomni.pipelines.purge import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "object", metavar="WORK|CREATOR", help="link, platform:id, or id; a creator takes its works along"
    )
    parser.add_argument("--yes", action="store_true", help="remove what would only be listed else")
    parser.add_argument("--keep-notes", action="store_true", help="move your own words in cards aside")
    add_output_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.pipelines import purge

    settings = context.settings(args)
    planned = purge.plan(args.object, settings)
    moved, warnings = (), ()
    if args.yes:
        moved, warnings = purge.carry_out(planned, settings, args.keep_notes)
    with_notes = [file for file in planned.files if file.notes]
    if with_notes and not args.keep_notes:
        verb = "went" if args.yes else "would go"
        warnings = (
            *warnings,
            f"{len(with_notes)} cards hold words of your own, which {verb} (--keep-notes moves them).",
        )
    if planned.named_in:
        warnings = (*warnings, f"{len(planned.named_in)} cards of others name it; make them again or edit them.")
    counts = {what: sum(file.what == what for file in planned.files) for what in get_args(purge.What)}
    result = {
        "removed": args.yes,
        "found": planned.found,
        "objects": list(dict.fromkeys(f"{o.platform}:{o.id}" for o in planned.objects)),
        "ledger_rows": planned.ledger,
        "library_rows": planned.library,
        "files": counts | {"bytes": sum(file.bytes for file in planned.files)},
        "paths": [str(file.path) for file in planned.files],
        "notes_path": [str(path) for path in moved],
        "named_in": [str(path) for path in planned.named_in],
    }
    go_on = ()
    if planned.found and not args.yes:
        words = [args.object, "--yes", *(["--keep-notes"] if args.keep_notes else [])]
        words += [w for flag in ("output_root", "card_root") for w in _flag(args, flag)]
        go_on = (Next(paste(["purge"], words, context.skill_dir), "removes what is listed; it cannot be undone"),)
    plain = tuple(_lines(planned, args.yes, counts))
    return Outcome(result=result, next=go_on, warnings=warnings, plain=plain)


def _flag(args: argparse.Namespace, name: str) -> list[str]:
    from pathlib import Path

    value = getattr(args, name)
    return [f"--{name.replace('_', '-')}", str(Path(value).expanduser().absolute())] if value else []


def _lines(planned: Plan, done: bool, counts: dict[str, int]) -> list[str]:
    if not planned.found:
        return ["Nothing is kept of it."]
    rows = ", ".join(f"{count} of {table}" for table, count in planned.ledger.items()) or "none"
    return [
        "Removed:" if done else "Would be removed:",
        f"  ledger rows made blank or deleted: {rows}",
        f"  library rows: {planned.library}",
        *(f"  {count} {what}s" for what, count in counts.items() if count),
        *(f"    {file.path} ({size(file.bytes)})" for file in planned.files),
        *([] if done else ["Nothing has been removed yet: add --yes."]),
    ]
