"""Platforms as data: what links name, which routes to ask, what answers say.

    targets = read_links("看看这个 https://v.douyin.com/…/ 复制打开")
    for request in requests(definition(target.platform), "work", target.known):
        reading = read_work(…)          # verdict, work, media

Everything particular to a platform is in its YAML file; the Python here knows none by name and does no I/O but
loading those files, when the first one is needed. ``platform.schema.json`` describes the format.
"""

from tikomni.platforms.definitions import Definition, definition, names
from tikomni.platforms.engine import Reading, Request, merge, payload, read_work, requests
from tikomni.platforms.links import Elsewhere, Target
from tikomni.platforms.links import read as read_links

__all__ = [
    "Definition",
    "Elsewhere",
    "Reading",
    "Request",
    "Target",
    "definition",
    "merge",
    "names",
    "payload",
    "read_links",
    "read_work",
    "requests",
]
