"""Material as an agent reads it: an index and parts, in lines that cannot leave their fence, within a budget.

Pure. What was cut is stated where it was cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tikomni.analysis.tasks.material import SHORT, Material, Source
from tikomni.envelope import tokens

PART_TOKENS = 6000
INDEX_TOKENS = 4000
# What is left free in a part for its head and for rounding.
MARGIN = 60
# The line that states a cut.
CUT_TOKENS = 20
# What of a work is shown at least, in tokens, and which part of that is its opening.
LEAST, OPENING = 40, 0.6
BEST, WORST = 5, 3
# Why a comment that is shown is no evidence.
AUTHOR = "author"
REGIONS = 5

WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "facts": "# 事实与数字\n\n由程序算出；平台没有给出的不列。",
        "sample": "样本：{n} 个作品，可信度 {confidence}（由程序按样本大小给出）。样本外的作品不能作证据。",
        "works": "## 作品\n\n每行一个作品：编号、事实、规则得出的信号、标题。"
        "作品全文：`npx tikomni-skills task text DIR W07`。",
        "columns": "`interactions` 是赞、评、藏、转之和，`multiple` 是它与作者中位数之比；"
        "`bucket` 与 `rank` 按近期得分排，偏向新作品。",
        "commercial": "商业信号",
        "cut": "（略去 {n} 句：{first} 至 {last}）",
        "part": "# 第 {n} 部分\n\n每行一句：编号、原文。`t` 是标题，`c` 是视频的文案。",
        "comments_sample": "样本：观众的 {n} 条评论，可信度 {confidence}（由程序按样本大小给出）；"
        "点赞少而放不下的 {left} 条不在其中。",
        "work": "## 作品\n\n评论所在的作品，供理解上下文：",
        "regions": "地区",
        "comments_part": "# 第 {n} 部分\n\n每行一条评论：编号、点赞、所回复的评论、是否作者本人、原文。",
        "like": "赞 {n}",
        "to": "答 {ref}",
        "author": "作者",
        "pictures": "## 图片\n\n请看这些图片，把其中的文字写进 `visual_text`（它会标明是模型所读）：",
    },
    "en": {
        "facts": "# Facts and figures\n\nComputed by the program; what the platform does not tell is left out.",
        "sample": "Sample: {n} works, confidence {confidence} (set by the program from its size). "
        "Works outside the sample are no evidence.",
        "works": "## Works\n\nA work a line: its number, facts, signals by rule, title. "
        "A work whole: `npx tikomni-skills task text DIR W07`.",
        "columns": "`interactions` are likes, comments, saves and shares; `multiple` is of the creator's median; "
        "`bucket` and `rank` go by a score that favours recent works.",
        "commercial": "commercial signal",
        "cut": "({n} sentences left out: {first} to {last})",
        "part": "# Part {n}\n\nA sentence a line: its number and its words. `t` is the title, `c` a video's caption.",
        "comments_sample": "Sample: {n} comments of the audience, confidence {confidence} (set by the program from its "
        "size); {left} with few likes, for which there is no room, are not in it.",
        "work": "## The work\n\nWhat the comments are about, to help you understand:",
        "regions": "regions",
        "comments_part": "# Part {n}\n\nA comment a line: its number, likes, what it answers, whether the author wrote "
        "it, its words.",
        "like": "like {n}",
        "to": "to {ref}",
        "author": "author",
        "pictures": "## Pictures\n\nLook at these pictures and write down the words in them as `visual_text` "
        "(it will be marked as the model's reading):",
    },
}


@dataclass(frozen=True, slots=True)
class Read:
    """``files``: name → text; ``tokens``: what they come to."""

    files: Mapping[str, str]
    tokens: int


def read(material: Material, budget: int) -> Read:
    """Index and parts of ``material`` within ``budget`` tokens.

    A work alone, the five best and the three worst of a sample are shown whole as far as the budget goes, of the others
    the opening and the close.
    """
    words = WORDS[material.language]
    if material.of_comments:
        return _comments(material, words)
    index = _index(material, words)
    left = budget - tokens(index)
    shares = _shares(material.sampled, left)
    blocks = [_excerpt(work, shares[work.ref], words) for work in material.sampled]
    return _read(index, words["part"], blocks, material)


def fenced(lines: Iterable[str], mark: str) -> str:
    """Strangers' lines between marks that none of them can hold: the mark is a digest of the words themselves."""
    return "\n".join([f"<<<DATA {mark}", *lines, f"DATA {mark}>>>", ""])


def whole(work: Source, mark: str) -> str:
    """Every sentence of a work."""
    return fenced([f"{name} | {text}" for name, text in work.sentences.items()], mark)


def comment_line(comment: Source, language: str) -> str:
    """A comment with what is told of it."""
    words, likes = WORDS[language], comment.figures.get("like_count")
    told = [words["like"].format(n=likes)] if likes else []
    told += [words["to"].format(ref=ref) for ref in comment.traits]
    told += [words["author"]] if comment.excluded == AUTHOR else []
    return _line(" | ".join([comment.ref, *([" · ".join(told)] if told else []), *comment.sentences.values()]))


def _comments(material: Material, words: Mapping[str, str]) -> Read:
    """Index and parts of comments; what there is no room for was left out of the sample before."""
    shown = [comment for comment in material.works if comment.excluded in (None, AUTHOR)]
    regions = Counter(place for one in material.sampled if (place := one.figures.get("ip_location")))
    told = words["comments_sample"].format(
        n=len(material.sampled), confidence=material.confidence, left=len(material.works) - len(shown)
    )
    about = [text for name in ("name", "about") if (text := material.subject.get(name))]
    places = ", ".join(f"{place} {n}" for place, n in regions.most_common(REGIONS))
    about += [f"{words['regions']}: {places}"] if regions else []
    strangers = fenced(map(_line, about), material.input_hash)
    head = [words["facts"], "", *_facts(material), "", told, "", words["work"], "", strangers]
    blocks = [[comment_line(one, material.language)] for one in shown]
    return _read("\n".join(head), words["comments_part"], blocks, material)


def _read(index: str, head: str, blocks: Sequence[list[str]], material: Material) -> Read:
    files = {"input/00-index.md": index}
    for number, lines in enumerate(_packed(blocks), 1):
        files[f"input/{number:02}.md"] = f"{head.format(n=number)}\n\n{fenced(lines, material.input_hash)}"
    return Read(files, sum(map(tokens, files.values())))


def _facts(material: Material) -> list[str]:
    return [f"- {name}: {_value(value)}" for name, value in material.figures.items() if value is not None]


def _index(material: Material, words: Mapping[str, str]) -> str:
    head, facts = [words["facts"]], _facts(material)
    head += ["", *facts] if facts else []
    if material.subject["type"] == "creator":
        head += ["", words["sample"].format(n=len(material.sampled), confidence=material.confidence)]
    if material.pictures:
        head += ["", words["pictures"], "", *(f"- {path}" for path in material.pictures)]
    told = words["works"]
    told += "\n" + words["columns"] if material.subject["type"] == "creator" else ""
    text = ""
    for title in (80, 40, 20, 10, 0):
        lines = [_row(work, title, words) for work in material.sampled]
        text = "\n".join([*head, "", told, "", fenced(lines, material.input_hash)])
        if tokens(text) <= INDEX_TOKENS - MARGIN:
            break
    return text


def _row(work: Source, title: int, words: Mapping[str, str]) -> str:
    told = [f"{SHORT.get(name, name)} {_value(value)}" for name, value in work.figures.items() if value is not None]
    signals = [f"{label} “{'/'.join(found)[:24]}”" for label, found in work.commercial.items()]
    told += [f"{words['commercial']} {', '.join(signals)}"] if signals else []
    told += [", ".join(work.traits)] if work.traits else []
    shown = work.title if len(work.title) <= title else work.title[:title] + "…" if title else ""
    return _line(f"{work.ref} | {' · '.join(told)} | {shown}")


def _shares(works: Sequence[Source], budget: int) -> dict[str, int]:
    """How many tokens of each work's words are shown: a floor for all, the rest to the best and the worst."""
    if not works:
        return {}
    left = budget - len(works) * CUT_TOKENS - 2 * MARGIN * (1 + budget // PART_TOKENS)
    needs = {work.ref: sum(_cost(n, t) for n, t in work.sentences.items()) for work in works}
    floor = max(LEAST, min(left // (2 * len(works)), 200))
    shares = {ref: min(need, floor) for ref, need in needs.items()}
    left -= sum(shares.values())
    favoured = [*works[:BEST], *reversed(works[BEST:][-WORST:])]
    for position, work in enumerate(favoured):
        more = min(needs[work.ref] - shares[work.ref], max(left, 0) // (len(favoured) - position))
        shares[work.ref] += more
        left -= more
    for work in works:  # what is still left lengthens the others, in their order
        more = min(needs[work.ref] - shares[work.ref], max(left, 0))
        shares[work.ref] += more
        left -= more
    return shares


def _excerpt(work: Source, share: int, words: Mapping[str, str]) -> list[str]:
    """Opening and close of a work within ``share`` tokens, with a line for what lies between."""
    items = list(work.sentences.items())
    costs = [_cost(name, text) for name, text in items]
    if sum(costs) <= share:
        return [_line(f"{name} | {text}") for name, text in items]
    # The close of a video is the end of what is said, not of its caption.
    main = [i for i, (name, _) in enumerate(items) if ".c" not in name]
    items, costs = [items[i] for i in main] or items, [costs[i] for i in main] or costs
    first, spent = 0, 0
    while first < len(items) and (spent + costs[first] <= share * OPENING or first == 0):
        spent += costs[first]
        first += 1
    last = len(items)
    while last > first and (spent + costs[last - 1] <= share or last == len(items)):
        spent += costs[last - 1]
        last -= 1
    room = max(share // 2, LEAST // 2)
    opening = [_line(f"{name} | {_clipped(text, room)}") for name, text in items[:first]]
    close = [_line(f"{name} | {_clipped(text, room)}") for name, text in items[last:]]
    between = items[first:last]
    if not between:
        return [*opening, *close]
    cut = words["cut"].format(n=len(between), first=between[0][0], last=between[-1][0])
    return [*opening, f"{work.ref} {cut}", *close]


def _packed(blocks: Sequence[list[str]]) -> list[list[str]]:
    """Blocks in parts of at most ``PART_TOKENS``; a work that is longer than a part goes on in the next."""
    parts: list[list[str]] = [[]]
    spent = 0
    for block in blocks:
        size = sum(tokens(line) + 1 for line in block)
        if parts[-1] and spent + size > PART_TOKENS - 2 * MARGIN and size <= PART_TOKENS - 2 * MARGIN:
            parts.append([])
            spent = 0
        for line in block:
            cost = tokens(line) + 1
            if parts[-1] and spent + cost > PART_TOKENS - 2 * MARGIN:
                parts.append([])
                spent = 0
            parts[-1].append(line)
            spent += cost
    return [part for part in parts if part]


def _cost(name: str, text: str) -> int:
    return tokens(f"{name} | {text}") + 1


def _clipped(text: str, room: int) -> str:
    if tokens(text) <= room:
        return text
    kept = text[:room]
    while tokens(kept) > room:
        kept = kept[:-1]
    return kept + "…"


def _line(text: str) -> str:
    return text if len(text) <= 500 else text[:499] + "…"


def _value(value: object) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)
