"""An upstream that runs on this machine, as strict and as odd as the real one.

    with Sandbox() as sandbox:
        …  # sandbox.base_url, sandbox.key, sandbox.bill, sandbox.faults

It checks every request against the catalogue, answers from a made-up world in the platforms' real shapes, bills,
throttles and fails on request. For tests, demonstrations and trying things out; no pipeline imports it.
"""

from __future__ import annotations

from tikomni.sandbox.asr import Script
from tikomni.sandbox.links import SAMPLES, Link, links
from tikomni.sandbox.server import KEY, Sandbox, Seen
from tikomni.sandbox.world.own_account import COOKIE

__all__ = ["COOKIE", "KEY", "SAMPLES", "Link", "Sandbox", "Script", "Seen", "links"]
