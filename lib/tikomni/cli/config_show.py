"""Show the settings in use, where each comes from, and where cards would go. Secrets are never shown."""

from __future__ import annotations

import argparse

from tikomni.cli.base import Context, Outcome, add_common, add_output_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_output_arguments(parser)
    add_common(parser)


def run(args: argparse.Namespace, context: Context) -> Outcome:
    from tikomni.cards.paths import example_paths
    from tikomni.settings import ROWS

    settings = context.settings(args)
    rows = {}
    for row in ROWS:
        value = getattr(settings, row.name)
        if row.metadata["secret"]:
            value = "set" if value else None
        rows[row.name] = {
            "value": value if isinstance(value, int | float | None) else str(value),
            "from": settings.sources[row.name],
        }
    result = {"settings": rows, "card_paths": example_paths(settings)}
    plain = [f"{name:<32} {row['value']}  ({row['from']})" for name, row in rows.items()]
    plain += ["", *(f"{kind:<32} {path}" for kind, path in result["card_paths"].items())]
    return Outcome(result=result, warnings=settings.warnings, plain=tuple(plain), full=True)
