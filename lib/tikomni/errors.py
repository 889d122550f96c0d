"""The one exception tree: every failure a user can meet has a code, an exit status and a hint.

Codes are a contract: they never change meaning within a major version. This module imports nothing of ours.

    TikomniError
    ├── InputError        exit 2   bad arguments, links, files, settings, keys
    ├── UpstreamError     exit 1   the upstream or the way to it failed
    ├── RefusedError      exit 4   our own policy or the user's budget said no
    └── Interrupted       exit 130 the user stopped us; what was paid for is kept
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

EXIT_COMPLETE, EXIT_UPSTREAM, EXIT_PARTIAL = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Code:
    """What a code promises: its exit status, whether the same command may succeed later, and its hint."""

    exit_status: int
    retryable: bool
    hint: str
    hint_zh: str


CODES: dict[str, Code] = {
    # input, configuration: exit 2, nothing was sent
    "usage": Code(2, False, "Run the command with --help to see its arguments.", "加 --help 查看参数。"),
    "no_input": Code(2, False, "Give at least one link, share text or id.", "请至少给出一个链接、分享文本或作品 ID。"),
    "unsupported_link": Code(
        2,
        False,
        "Give a Douyin or Xiaohongshu link, its share text, or a bare id with --platform.",
        "请给出抖音或小红书的链接、分享文本，或用 --platform 指明平台的作品 ID。",
    ),
    "other_kind": Code(
        2,
        False,
        "This link names something else; run the command in `next`.",
        "链接指向别的对象；请运行 next 中的命令。",
    ),
    "unknown_route": Code(
        2,
        False,
        "Use a route id from the catalogue; near misses are in `details`.",
        "请使用目录中的接口 ID；相近的见 details。",
    ),
    "invalid_input": Code(
        2,
        False,
        "Correct the input named in the message; nothing was sent.",
        "请修正消息中指出的输入；没有发出任何请求。",
    ),
    "config": Code(2, False, "Correct the setting or file named in the message.", "请修正消息中指出的设置或文件。"),
    "missing_key": Code(
        2,
        False,
        "Put TIKOMNI_API_KEY=… in the skills folder's .env (mode 600) or in the environment.",
        "请把 TIKOMNI_API_KEY=… 写入 skills 目录的 .env（权限 600）或环境变量。",
    ),
    "placeholder_key": Code(
        2,
        False,
        "Replace the sample value of TIKOMNI_API_KEY by your own key.",
        "请把 TIKOMNI_API_KEY 的示例值换成自己的密钥。",
    ),
    "rejected_key": Code(
        2,
        False,
        "The upstream refused the key: check it, or the base URL that it belongs to.",
        "上游拒绝了密钥：请检查密钥及其所属的基础地址。",
    ),
    "storage": Code(
        2,
        False,
        "Choose a folder that can be written (see the message); nothing was sent.",
        "请换一个可写的目录（见消息）；没有发出任何请求。",
    ),
    "no_environment": Code(
        2, False, "Run the command in `next` once; it prepares Python.", "请先运行一次 next 中的命令准备 Python 环境。"
    ),
    # upstream and transport: exit 1
    "quota": Code(
        1,
        False,
        "The account has no credit left: top it up, then run the same command.",
        "账户余额不足：充值后重新运行同一命令。",
    ),
    "throttled": Code(
        1,
        True,
        "The upstream asks to slow down: wait, then run the same command.",
        "上游要求放慢：稍候再运行同一命令。",
    ),
    "upstream": Code(
        1,
        True,
        "The upstream failed: run the same command later; paid answers are kept.",
        "上游出错：稍后重新运行，已付费的结果会保留。",
    ),
    "invalid_answer": Code(
        1, True, "The answer could not be read; run the same command again.", "无法解析上游的回复；请重新运行同一命令。"
    ),
    "network": Code(
        1,
        True,
        "Check the network and TIKOMNI_BASE_URL, then run the same command.",
        "请检查网络和 TIKOMNI_BASE_URL 后重试。",
    ),
    "timeout": Code(1, True, "No answer in time; run the same command again.", "未按时得到回复；请重新运行同一命令。"),
    "download": Code(
        1,
        True,
        "A file of the platform could not be fetched; run the same command later.",
        "平台的文件未能下载；请稍后重新运行同一命令。",
    ),
    "rejected_input": Code(1, False, "The upstream refused the input; see the message.", "上游拒绝了输入，见消息。"),
    "gone": Code(
        1,
        False,
        "The work was deleted, made private or is visible to some only.",
        "作品已删除、设为私密或仅部分人可见。",
    ),
    "not_found": Code(1, False, "No route knows this id or link: check it.", "没有接口能找到这个 ID 或链接：请检查。"),
    "disk_full": Code(
        1,
        True,
        "Free some space, then run the same command; paid answers are re-used.",
        "请清理磁盘后重新运行；已付费的结果会复用。",
    ),
    "ledger": Code(1, False, "The ledger could not be used; see the message.", "账本无法使用，见消息。"),
    "internal": Code(
        1, False, "This is a defect of ours: please report the message and the log.", "这是程序缺陷：请反馈消息与日志。"
    ),
    # policy and budget: exit 4
    "effect_refused": Code(
        4,
        False,
        "This route does more than read; name its effect with --allow.",
        "该接口不只是读取；请用 --allow 指明其作用。",
    ),
    "budget": Code(
        4, False, "Raise the limit named in the message, or ask for less.", "请提高消息中的上限，或减少请求。"
    ),
    # interruption: exit 130
    "interrupted": Code(
        130, True, "Run the same command again: it goes on where it stopped.", "重新运行同一命令即可继续。"
    ),
}


class TikomniError(Exception):
    """A failure with a stable code.

    Args:
        code: a key of ``CODES``.
        message: what happened, with which input, in one sentence.
        hint: what to do next, if the code's own hint is not the best one.
        details: JSON-ready facts that a program may act on.
        next_command: a ready command that mends it, if there is one.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        details: dict[str, Any] | None = None,
        next_command: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.spec = CODES[code]
        self._hint = hint
        self.details = details or {}
        self.next_command = next_command

    @property
    def exit_status(self) -> int:
        return self.spec.exit_status

    def hint(self, language: str = "en") -> str:
        return self._hint or (self.spec.hint_zh if language == "zh" else self.spec.hint)

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """``{code, message, hint, retryable, details}`` as it stands in the envelope's ``error``."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint(language),
            "retryable": self.spec.retryable,
            "details": self.details,
        }


class InputError(TikomniError):
    """Something the caller gave cannot be used; nothing was sent."""


class UpstreamError(TikomniError):
    """The upstream, or the way to it, failed."""


class RefusedError(TikomniError):
    """Our policy or the user's budget refused."""


class Interrupted(TikomniError):
    """The user stopped the run."""

    def __init__(self) -> None:
        super().__init__("interrupted", "Stopped by the user; what was paid for is kept.")
