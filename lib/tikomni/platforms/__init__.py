"""Platforms as data: what links name, which routes to ask, what answers say.

    targets = read_links("看看这个 https://v.douyin.com/…/ 复制打开")
    for request in requests(definition(target.platform), "work", target.known):
        reading = read_work(…)          # verdict, work, media

Creators are read the same way (``read_creator``), lists a page at a time (``read_list``), and what costs a call of
its own is an enrichment. Everything particular to a platform is in its YAML file; the Python here knows none by name
and does no I/O but loading those files, when the first one is needed. ``platform.schema.json`` describes the format.
"""

from tikomni.platforms.definitions import Definition, definition, names
from tikomni.platforms.engine import Reading, Request, merge, read_work, requests
from tikomni.platforms.enrich import enriched, enrichment, read_enrichment
from tikomni.platforms.links import Elsewhere, Target
from tikomni.platforms.links import read as read_links
from tikomni.platforms.lists import Page, read_list
from tikomni.platforms.people import CreatorReading, merge_creators, read_creator

__all__ = [
    "CreatorReading",
    "Definition",
    "Elsewhere",
    "Page",
    "Reading",
    "Request",
    "Target",
    "definition",
    "enriched",
    "enrichment",
    "merge",
    "merge_creators",
    "names",
    "read_creator",
    "read_enrichment",
    "read_links",
    "read_list",
    "read_work",
    "requests",
]
