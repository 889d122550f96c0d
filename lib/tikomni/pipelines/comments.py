"""The comments of a work: walked, made nameless, kept as they arrive, and written as files. Steps and nothing else.

One walk for the comments; then, where they are wanted, one for each of the comments that were answered most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tikomni import catalog
from tikomni.analysis import tasks
from tikomni.analysis.comments import Discussion, discussion
from tikomni.cards import comment_tables
from tikomni.cards.labels import language
from tikomni.dispatch.limiter import DeadlinePassed
from tikomni.errors import CODES, TikomniError
from tikomni.facts import Comment, Missing, Work
from tikomni.pipelines.benchmark import write_tasks
from tikomni.pipelines.lists import WHOLE, collect
from tikomni.pipelines.pseudonyms import Pseudonyms
from tikomni.pipelines.session import INTERRUPTED, Session
from tikomni.platforms import Page, Target, definition
from tikomni.platforms.lists import list_requests
from tikomni.storage import names

LIST, REPLIES = "work.comments", "comment.replies"
# Entries that routes give at once, where their definition does not say.
PAGE = 20
# One comment in so many has its replies read.
ANSWERED = 10
TOP = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """``most``: comments, and with ``replies`` as many replies again. ``forms``: tables beside ``comments.jsonl``."""

    most: int
    replies: bool = False
    keep_users: bool = False
    forms: tuple[str, ...] = ("csv",)

    @property
    def most_answered(self) -> int:
        """Of how many comments the replies are read: each costs a call at least."""
        return -(-self.most // ANSWERED)


@dataclass(frozen=True, slots=True)
class Price:
    """What comments would cost: calls, with those for replies, and US dollars."""

    calls: int
    usd: float


@dataclass(eq=False)
class Comments:
    """The comments of ``work`` on their way through a run; whatever ends it, what came is kept.

    ``left``: answered comments whose replies were not asked for.
    """

    work: Work
    wanted: Wanted
    run: Session
    found: dict[str, Comment] = field(default_factory=dict)
    replies: dict[str, Comment] = field(default_factory=dict)
    stop_reason: str = INTERRUPTED
    replies_stop_reason: str | None = None
    answered: int = 0
    left: int = 0
    paths: dict[str, Path] = field(default_factory=dict)

    async def gather(self) -> None:
        """Walk the comments, then the replies. Never raises but for cancellation."""
        try:
            people = Pseudonyms.of(self.run.settings.state)
            self.stop_reason = await self._walk(LIST, {}, self.found, people, self.work.comment_count)
            if self.wanted.replies and self.stop_reason in WHOLE:
                self.replies_stop_reason = INTERRUPTED
                self.replies_stop_reason = await self._answers(people)
        except DeadlinePassed:
            self._stop("deadline")
        except TikomniError as error:
            self._stop(error.code)
            self.run.means.warn(f"{self.work.key}: comments: {error.message}")
        self.run.step("comments", self.work.key, self.stop_reason, f"{len(self.found)}+{len(self.replies)}")

    async def _walk(
        self,
        name: str,
        about: Mapping[str, str],
        into: dict[str, Comment],
        people: Pseudonyms,
        expected: int | None,
    ) -> str:
        if expected == 0:
            return "no_more"
        work, run = self.work, self.run
        most = self.wanted.most - len(into)
        known = {"work_id": work.platform_work_id, **about}
        if work.platform_author_id:
            known["creator_id"] = work.platform_author_id

        def on_page(page: Page) -> None:
            nameless = [people.comment(i, self.wanted.keep_users) for i in page.items if isinstance(i, Comment)]
            run.library.keep_comments(nameless)
            # The rest of a page was paid for and is in the library; what was asked for is told.
            into.update((c.key, c) for c in nameless[: self.wanted.most - len(into)])
            run.progress.stage("comments", len(self.found) + len(self.replies), None, work=work.key)

        ended = await collect(
            definition(work.platform), name, known, run.dispatcher, most=most, expected=expected, on_page=on_page
        )
        return ended.stop_reason

    async def _answers(self, people: Pseudonyms) -> str:
        """Replies to the comments that have most, until there are as many as were asked for."""
        answered = [comment for comment in self.found.values() if comment.reply_count]
        answered.sort(key=lambda comment: -(comment.reply_count or 0))
        chosen = answered[: self.wanted.most_answered]
        self.left = len(answered)
        for comment in chosen:
            if len(self.replies) >= self.wanted.most:
                return "most"
            about = {"comment_id": comment.comment_id}
            reason = await self._walk(REPLIES, about, self.replies, people, comment.reply_count)
            self.answered, self.left = self.answered + 1, self.left - 1
            if reason not in WHOLE:
                return reason
        return "most" if self.left else "no_more"

    def _stop(self, reason: str) -> None:
        if self.replies_stop_reason == INTERRUPTED:
            self.replies_stop_reason = reason
        else:
            self.stop_reason = reason

    # --- what came of it

    @property
    def reasons(self) -> dict[str, str]:
        """What is not whole, and why."""
        ended = {"comments": self.stop_reason, "replies": self.replies_stop_reason or "most"}
        return {name: reason for name, reason in ended.items() if reason not in WHOLE}

    @property
    def missing(self) -> tuple[Missing, ...]:
        return tuple(Missing(self.work.key, name, reason) for name, reason in self.reasons.items())

    @property
    def pending(self) -> bool:
        """Whether the same command may bring the rest."""
        return any(
            reason in ("deadline", INTERRUPTED)
            or reason.startswith("page_failed")
            or (reason in CODES and CODES[reason].retryable)
            for reason in self.reasons.values()
        )

    @cached_property
    def said(self) -> Discussion:
        """Once the walks have ended."""
        return discussion([*self.found.values(), *self.replies.values()])

    def write(self) -> None:
        """The comments with words as files of the run; ``paths`` has them by form.

        Raises:
            TikomniError: ``disk_full``; InputError ``storage``.
        """
        work, run = self.work, self.run
        name = f"{names.slug(work.platform, 40, 'platform')}-{names.identifier(work.platform_work_id)}"
        folder = names.inside(run.folder, name)
        words = language(run.settings, work.platform)
        listed = self.said.listed
        zone, keep_users = run.settings.zone, self.wanted.keep_users
        self.paths = comment_tables.write(listed, folder, self.wanted.forms, words, zone, keep_users)

    def write_task(self) -> tuple[tuple[str, Path], ...]:
        """The analysis task about them; none where nobody of the audience said a word."""
        settings = self.run.settings
        told = language(settings, self.work.platform)
        made = tasks.for_comments(self.work, self.said, len(self.found), len(self.replies), told)
        return write_tasks(settings, made)

    def as_dict(self) -> dict[str, Any]:
        """``result.comments``."""
        said = self.said
        replies = {
            "read": len(self.replies),
            "of_comments": self.answered,
            "comments_left": self.left,
            "stop_reason": self.replies_stop_reason,
        }
        return {
            "read": len(self.found),
            "stop_reason": self.stop_reason,
            "replies": replies if self.wanted.replies else None,
            "listed": len(said.listed),
            "without_words": dict(said.wordless),
            "by_author": said.by_author,
            "paths": {form: str(path) for form, path in self.paths.items()},
            "top": [{"comment_id": c.comment_id, "like_count": c.like_count, "text": c.text} for c in said.top(TOP)],
        }


def price(target: Target, wanted: Wanted) -> Price:
    """What the comments of ``target`` would cost at most, from the definitions alone."""
    known = {"work_id": "-", "comment_id": "-", **target.ids}
    calls, usd = 0, 0.0
    lists = {LIST: -(-wanted.most // PAGE)}
    if wanted.replies:
        lists[REPLIES] = wanted.most_answered + wanted.most // PAGE
    for name, count in lists.items():
        routes = list_requests(definition(target.platform or ""), name, known)
        calls += count if routes else 0
        usd += count * catalog.get(routes[0].ask.route).price if routes else 0
    return Price(calls, round(usd, 6))
