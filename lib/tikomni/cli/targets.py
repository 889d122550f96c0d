"""Turns what a person pasted into targets, and says what to run for links that name something else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from tikomni import redact
from tikomni.cli.base import Context, paste, read_text
from tikomni.envelope import Next
from tikomni.errors import InputError
from tikomni.platforms import Target, names, read_links
from tikomni.platforms.links import TargetKind

if TYPE_CHECKING:
    from tikomni.pipelines.session import Ended

MOST_INPUT_BYTES = 2 * 1024 * 1024


def gather(
    inputs: Sequence[str], source: str | None, platform: str | None, expect: TargetKind | None = None
) -> tuple[Target, ...]:
    """Every target in ``inputs`` and in the file ``source`` (``-``: standard input), in order, each once.

    ``expect``: what ids and names are thought to be of, where they may be of several kinds.

    Raises:
        InputError: ``no_input``, ``unsupported_link``, or a file that cannot be read.
    """
    if platform is not None and platform not in names():
        raise InputError("usage", f"--platform {platform!r}: there are {', '.join(names())}.")
    texts = [*inputs, *([read_text(source, "--from", MOST_INPUT_BYTES)] if source else [])]
    if not any(text.strip() for text in texts):
        raise InputError("no_input", "No link, share text or id was given.")
    found: dict[tuple[object, ...], Target] = {}
    for text in texts:
        for target in read_links(text, platform, expect):
            found.setdefault(target.key, target)
    return tuple(found.values())


def is_work(target: Target) -> bool:
    return target.kind in ("work", "short") and target.elsewhere is None


def is_creator(target: Target) -> bool:
    """Short links too: where they lead is known when they have been asked for."""
    return target.kind in ("creator", "short") and target.elsewhere is None


def refuse_others(
    targets: Iterable[Target], context: Context, wanted: Callable[[Target], bool] = is_work
) -> tuple[InputError | None, tuple[Next, ...]]:
    """The error for targets that are not ``wanted``, and the commands that serve them; nothing has been sent."""
    others = [t for t in targets if not wanted(t)]
    if not others:
        return None, ()
    commands = tuple(n for t in others if (n := instead(t, context)))
    first = others[0]
    shown = (first.url or first.text)[:120]
    if first.kind == "other" and first.elsewhere is None:
        message = f"Not a link or id that is known here: {shown!r}" + (f" ({first.reason})." if first.reason else ".")
        return InputError("unsupported_link", message, details=_details(others)), commands
    what = first.elsewhere.name if first.elsewhere else f"a {first.kind} of {first.platform}"
    message = f"{shown} names {'something on ' if first.elsewhere else ''}{what}, not what this command reads."
    return InputError("other_kind", message, details=_details(others)), commands


def left_out(targets: Iterable[Target]) -> list[dict[str, str]]:
    """Rows of ``result.missing`` for inputs that a run went on without."""
    shown = ((redact.text((t.url or t.text)[:120]), t.reason or "other_kind") for t in targets)
    return [{"item": item, "field": "input", "reason": reason} for item, reason in shown]


def failed_row(done: Ended) -> dict[str, str]:
    """One of several inputs of which nothing is known, as it stands among the others."""
    assert done.error is not None
    return {
        "input": redact.text(done.target.text[:120]),
        "status": done.status,
        "error": done.error.code,
        "message": done.error.message,
    }


def instead(target: Target, context: Context) -> Next | None:
    """The command that serves ``target``, where there is one."""
    there = target.elsewhere
    if there is not None and there.route is not None:
        words = [there.route, *(f"{name}={value}" for name, value in there.inputs.items())]
        return Next(paste(["route", "call"], words, context.skill_dir), f"asks {there.name} for it")
    if there is None and target.kind in ("creator", "work"):
        command = paste([target.kind], [target.url or target.text], context.skill_dir)
        return Next(command, f"analyses this {target.kind}")
    return None


def _details(targets: Sequence[Target]) -> dict[str, object]:
    return {"inputs": [{"input": (t.url or t.text)[:200], "kind": t.kind, "reason": t.reason} for t in targets[:20]]}
