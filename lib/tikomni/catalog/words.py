"""Words of a question, or of what answers it, as terms that can be counted: the same on both sides.

Chinese is cut into pairs of characters, English into stems and pairs of neighbouring stems. Words that mean the same
(``questions/concepts.yaml``) add a term for their meaning, ``@like`` for 点赞 as for "hearts". No file is read here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

# Too common to tell anything alone; in a pair ("who follows", "how many") they do.
_COMMON = frozenset(
    "a an the of to in on at for by with and or is are was were be been being do does did have has had it its this that"
    " these those i me my we our us you your he she they them his her their there here from as so if then than just"
    " please can could would should will what which who whom whose when where why how about into some any all not no"
    " one ones get got give show tell want need find look let im ive id lets make take go come put see know think try"
    " keep use using used say said way thing stuff folk folks people person someone somebody anyone everyone whole"
    " really actually also still even only other others own another more most much many lot lots few first next last"
    " day days time times now lately something anything everything nothing well good great nice big small new old right"
    " left back up down out off over under again ever never always already yet soon each every both either neither"
    " between among through during before after since until while because though although however maybe perhaps quite"
    " rather very too enough almost list return".split()
)
_ARTICLES = frozenset("a an the of please just".split())
# One break for all that ends a clause, one apostrophe; tables take less time to make than patterns.
_SIGNS = str.maketrans(dict.fromkeys('，。；：！？、（）“”「」《》,;:!?()"', "\n") | {"’": "'"})
_WORD = re.compile(r"[a-z0-9]+(?:[-_'.][a-z0-9]+)*|[^\x00-\xff]+")
_PARTS = str.maketrans("_.", "--")
_PARTICLES = str.maketrans(dict.fromkeys("的了吗呢吧啊呀嘛哦着", " "))
_VOWELS = frozenset("aeiouy")
_FORM = re.compile(r"[a-z0-9#]+")
CHINESE, LAST = "\u3400", "\u9fff"
_WORDS = 5  # words of the longest English form
_CHARACTERS = 9  # of the longest Chinese form


def plain(text: str) -> str:
    """``text`` without differences of width and case."""
    return unicodedata.normalize("NFKC", text).lower()


def stem(word: str) -> str:
    """An English word without its usual endings; a rough cut is enough, since both sides are cut alike.

    What would be left of a theme, a note or goods is no common word: them, not, good.
    """
    if len(word) <= 3 or not word.isascii() or word in _COMMON:
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith("sses"):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = _unless_common(word, word[:-1])
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= 3 and not _VOWELS.isdisjoint(base):
            doubled = len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz"
            word = _unless_common(word, base[:-1] if doubled else base)
            break
    return _unless_common(word, word[:-1]) if word.endswith("e") and len(word) > 3 else word


def _unless_common(word: str, cut: str) -> str:
    return word if cut in _COMMON else cut


def terms(text: str, *, pairs: bool = True) -> Iterator[str]:
    """The terms of ``text``, in order, as often as they occur. ``pairs``: neighbouring English words count, too."""
    for clause in plain(text).translate(_SIGNS).replace(". ", "\n").split("\n"):
        before = None
        for word in _WORD.findall(clause):
            if not word.isascii():
                before = None
                yield from _chinese(word)
                continue
            parts = [part.removesuffix("'s").replace("'", "") for part in word.translate(_PARTS).split("-")]
            if len(parts) > 1:
                yield "".join(parts)
            for part in parts:
                if part.isdecimal():
                    before = None
                if not part or part.isdecimal() or part in _ARTICLES:
                    continue
                cut = stem(part)
                if part not in _COMMON:
                    yield cut
                if pairs and before:
                    yield f"{before} {cut}"
                before = cut


def _chinese(run: str) -> Iterator[str]:
    told = "".join(sign if CHINESE <= sign <= LAST else " " for sign in run.translate(_PARTICLES))
    for part in told.split():
        if len(part) == 1:
            yield part
        yield from (part[at : at + 2] for at in range(len(part) - 1))


def form(text: str) -> str:
    """How one entry of the concepts is looked up: Chinese as it stands, English as stems."""
    text = plain(text.strip())
    return text if any(sign >= CHINESE for sign in text) else " ".join(_stems(text))


def is_too_long(form: str) -> bool:
    """Whether ``Concepts`` cannot find this form."""
    return form.count(" ") >= _WORDS if form.isascii() else len(form) > _CHARACTERS


class Concepts:
    """Finds meanings in texts. ``forms``: pairs of meanings, separated by spaces, and the forms (as ``form`` writes
    them, separated by commas) that have just these."""

    def __init__(self, forms: Iterable[Sequence[str]]) -> None:
        self._names: dict[str, tuple[str, ...]] = {}
        for names, text in forms:
            self._names.update(dict.fromkeys(text.split(","), tuple(names.split())))

    def of(self, text: str) -> set[str]:
        """The concepts that occur in ``text``, each with an ``@`` before it."""
        found: set[str] = set()
        low = plain(text)
        covered = 0  # a form inside a longer one does not count: 谁关注了 does not say 关注了
        for start, sign in enumerate(low):
            for end in range(min(start + _CHARACTERS, len(low)), max(start, covered), -1):
                names = self._names.get(low[start:end]) if sign >= CHINESE or low[end - 1] >= CHINESE else None
                if names:
                    found.update(names)
                    covered = end
                    break
        stems = _stems(low)
        for start in range(len(stems)):
            for end in range(start + 1, min(start + _WORDS, len(stems)) + 1):
                found.update(self._names.get(" ".join(stems[start:end]), ()))
        return found

    def corrected(self, text: str, knows: Callable[[str], bool]) -> str:
        """``text`` with slips of the fingers put right: long English words that nobody knows, a letter away from one
        that means something, or two letters the other way round than one that is known."""

        def put_right(match: re.Match[str]) -> str:
            word = match[0].lower()
            if word in _COMMON or stem(word) in self._names or knows(stem(word)):
                return match[0]
            meant = (one for one in _near(word) if stem(one) in self._names)
            return next(meant, None) or next((one for one in _swapped(word) if knows(stem(one))), match[0])

        return re.sub(r"(?<![\w'-])[A-Za-z]{5,14}(?![\w'-])", put_right, text, flags=re.ASCII)


def _near(word: str) -> Iterator[str]:
    """Words with two neighbours exchanged, a double letter once, a letter more."""
    yield from _swapped(word)
    yield from (word[:at] + word[at + 1 :] for at in range(1, len(word)) if word[at] == word[at - 1])
    if len(word) > 5:
        for at in range(1, len(word) + 1):
            yield from (word[:at] + letter + word[at:] for letter in "abcdefghijklmnopqrstuvwxyz")


def _swapped(word: str) -> Iterator[str]:
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _stems(text: str) -> list[str]:
    return [stem(word) for word in _FORM.findall(text.replace("'s", "").replace("’s", ""))]
