"""Every setting, once: its name, default and meaning.

The table is the ``Settings`` dataclass itself. The commented YAML that ``config init`` writes (``settings_text.py``),
``env.example`` and the settings page (``docs.py``) are generated from it; ``settings_load.py`` reads the sources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tikomni.errors import InputError
from tikomni.locations import data_home

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

PREFIX = "TIKOMNI_"


def setting(
    default: Any,
    en: str,
    zh: str,
    *,
    section: str,
    secret: bool = False,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
    aliases: tuple[str, ...] = (),
    yaml: tuple[str, ...] = (),
) -> Any:
    """One row of the table. ``aliases`` are older variable names, ``yaml`` older dotted config keys."""
    meta = {
        "en": en,
        "zh": zh,
        "section": section,
        "secret": secret,
        "choices": choices,
        "least": least,
        "most": most,
        "aliases": tuple(PREFIX + a for a in aliases),
        "yaml": yaml,
    }
    return field(default=default, metadata=meta)


def variable(name: str) -> str:
    """The environment variable of the setting ``name``."""
    return PREFIX + name.upper()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Settings:
    """Values in use. Paths are absolute; durations carry their unit in the name. Has no repr: it holds the key."""

    # --- the account
    api_key: str | None = setting(None, "Your TikOmni API key.", "TikOmni 密钥。", section="account", secret=True)
    api_key_env: str = setting(
        "TIKOMNI_API_KEY",
        "Name of the variable that holds the key.",
        "存放密钥的变量名。",
        section="account",
        yaml=("runtime.auth_env_key",),
    )
    base_url: str = setting(
        "https://api.tikomni.com",
        "Upstream address; in mainland China https://api.tikomni.dev may answer faster.",
        "上游地址；中国大陆可用 https://api.tikomni.dev。",
        section="account",
        yaml=("runtime.base_url",),
    )

    tikhub_api_key: str | None = setting(
        None,
        "A TikHub key; used where no TikOmni key is set, for the routes that TikHub has.",
        "TikHub 密钥；未设置 TikOmni 密钥时使用，仅限 TikHub 提供的接口。",
        section="account",
        secret=True,
    )
    tikhub_base_url: str = setting("https://api.tikhub.io", "TikHub's address.", "TikHub 地址。", section="account")
    insight_biz_name: str | None = setting(
        None,
        "Account id at Volcano Engine Content Insight.",
        "火山引擎内容洞察的账号 ID。",
        section="account",
    )
    insight_biz_secret: str | None = setting(
        None,
        "Secret of that account.",
        "该账号的 SecretKey。",
        section="account",
        secret=True,
    )
    insight_base_url: str = setting(
        "https://insight.volcengineapi.com",
        "Address of Content Insight.",
        "内容洞察地址。",
        section="account",
    )

    # --- where things are kept
    state_dir: Path | None = setting(
        None,
        "Ledger, library and limiter; default: the user data folder of the system.",
        "账本、资料库与限速状态的目录；默认为系统的用户数据目录。",
        section="folders",
    )
    output_root: Path = setting(
        Path("tikomni-output"),
        "Root of JSON documents and run folders.",
        "JSON 文档与运行目录的根。",
        section="folders",
    )
    card_root: Path | None = setting(
        None,
        "Root of Markdown cards, such as a folder of an Obsidian vault; default <output root>/cards.",
        "Markdown 卡片的根目录（例如 Obsidian 库内的目录）；默认 <输出根>/cards。",
        section="folders",
    )
    output_runs_dir: str = setting(
        "_runs",
        "Run folders, below the output root or absolute.",
        "运行目录（相对输出根或绝对路径）。",
        section="folders",
    )
    output_results_dir: str = setting(
        "results",
        "Work documents, below the output root or absolute.",
        "作品 JSON 目录（相对输出根或绝对路径）。",
        section="folders",
    )
    output_errors_dir: str = setting(
        "_errors",
        "Documents of inputs that failed, below the output root or absolute.",
        "失败输入的 JSON 目录（相对输出根或绝对路径）。",
        section="folders",
    )

    # --- cards
    path_locale: str = setting(
        "zh",
        "Preset of card folders: zh or en.",
        "卡片目录预设：zh 或 en。",
        section="cards",
        choices=("zh", "en"),
    )
    card_route_work: str | None = setting(
        None,
        "Folders of work cards, parts separated by |.",
        "作品卡目录，各级用 | 分隔。",
        section="cards",
        yaml=("storage_routes.card_type_routes.work",),
    )
    card_route_author: str | None = setting(
        None,
        "Folders of creator cards, parts separated by |.",
        "作者卡目录，各级用 | 分隔。",
        section="cards",
        yaml=("storage_routes.card_type_routes.author",),
    )
    card_route_author_sample_work: str | None = setting(
        None,
        "Folders of a creator's sampled works, parts separated by |.",
        "作者样本作品卡目录，各级用 | 分隔。",
        section="cards",
        yaml=("storage_routes.card_type_routes.author_sample_work",),
    )
    card_prefix_work: str = setting("CBV", "First part of a work card's name.", "作品卡文件名前缀。", section="cards")
    card_prefix_author: str = setting(
        "CBA", "First part of a creator card's name.", "作者卡文件名前缀。", section="cards"
    )
    card_prefix_author_sample_work: str = setting(
        "CBV",
        "First part of a sampled work's card name.",
        "作者样本作品卡文件名前缀。",
        section="cards",
    )
    filename_pattern_card: str = setting(
        "{prefix}-{author_slug}-{title_slug}{ext}",
        "Name of a card; the work id is appended where the pattern lacks it.",
        "卡片文件名；缺作品 ID 时自动补在末尾。",
        section="cards",
        aliases=("FILENAME_PATTERN",),
        yaml=("naming_rules.card_filename_pattern",),
    )
    filename_pattern_json: str = setting(
        "{timestamp}-{platform}-{identifier}{ext}",
        "Name of a JSON document.",
        "JSON 文档文件名。",
        section="cards",
        yaml=("naming_rules.json_filename_pattern",),
    )
    card_tags: str = setting(
        "tikomni/work",
        "Obsidian tags of a card, separated by commas.",
        "卡片的 Obsidian 标签，逗号分隔。",
        section="cards",
    )
    images: int = setting(
        9,
        "Pictures stored for each picture post.",
        "每个图文作品保存的图片数。",
        section="cards",
        least=0,
        most=100,
    )
    language: str | None = setting(
        None,
        "Language of cards and hints: zh or en; default: the platform's.",
        "卡片与提示的语言：zh 或 en；默认随平台。",
        section="cards",
        choices=("zh", "en"),
    )
    display_zone: str = setting(
        "Asia/Shanghai",
        "Time zone of the dates that people read.",
        "日期显示所用时区。",
        section="cards",
    )

    # --- calls
    global_qps: float = setting(
        5.0,
        "Requests a second that carry the key, over all processes of this machine.",
        "本机所有进程合计的每秒请求数。",
        section="calls",
        least=0.1,
        most=100,
    )
    timeout_ms: int = setting(
        60_000,
        "Longest wait for one answer, milliseconds.",
        "单次请求最长等待（毫秒）。",
        section="calls",
        least=100,
        most=600_000,
        yaml=("runtime.timeout_ms",),
    )
    timeout_retry_max: int = setting(
        3,
        "How often a read that failed on the way is asked again.",
        "读取请求失败后的最多重试次数。",
        section="calls",
        least=0,
        most=8,
    )
    timeout_retry_backoff_ms: int = setting(
        300,
        "First pause before asking again; it doubles each time.",
        "首次重试前的等待（毫秒），之后翻倍。",
        section="calls",
        least=0,
        most=5000,
    )
    http_user_agent: str | None = setting(
        None,
        "User-Agent header; default tikomni-skills/<version>.",
        "User-Agent 请求头；默认 tikomni-skills/<版本>。",
        section="calls",
    )
    http_accept_language: str = setting(
        "zh-CN,zh;q=0.9,en;q=0.8",
        "Accept-Language header.",
        "Accept-Language 请求头。",
        section="calls",
    )
    shelf_facts_sec: int = setting(
        86_400,
        "How long stored counts and profiles stand for new ones, seconds.",
        "已存数据（互动数、主页资料）的有效期（秒）。",
        section="calls",
        least=0,
    )
    shelf_lists_sec: int = setting(
        21_600,
        "The same for lists: works, comments, search.",
        "已存列表（作品、评论、搜索）的有效期（秒）。",
        section="calls",
        least=0,
    )
    shelf_rankings_sec: int = setting(
        600,
        "The same for what changes by the minute: charts, feeds, live rooms.",
        "已存榜单、推荐流与直播状态的有效期（秒）。",
        section="calls",
        least=0,
    )
    max_age_sec: int | None = setting(
        None,
        "One age for all of these, seconds; unset: each has its own.",
        "统一的有效期（秒）；不填则各按其类。",
        section="calls",
        least=0,
    )
    stop_after_failures: int = setting(
        5,
        "A run ends when so many calls in a row have failed in the same way.",
        "连续多少次同类失败后结束本次运行。",
        section="calls",
        least=1,
        most=1000,
    )
    deadline_sec: float | None = setting(
        None,
        "Longest run of a command, seconds; default 90 unless a person watches a terminal.",
        "命令最长运行时间（秒）；非终端下默认 90。",
        section="calls",
        least=0,
    )

    # --- words of a video
    transcript_sources: str = setting(
        "subtitles,insight,asr,relay,local",
        "Where words of a video are sought, in this order.",
        "获取视频文字稿的来源及顺序。",
        section="words",
    )
    asr_soft_wait_sec: float = setting(
        90,
        "A speech job without a result for this long is told of; 0: never.",
        "转写任务多久（秒）无结果时提示；0 为不提示。",
        section="words",
        least=0,
    )
    asr_hard_fallback_sec: float = setting(
        120,
        "A clip of which the service says nothing new for this long (at least a quarter of its length) is uploaded and"
        " sent again, which may be charged twice; 0: never.",
        "转写服务多久（秒，至少为视频时长的四分之一）无新进展时改为上传后再转写，可能重复计费；0 为从不。",
        section="words",
        least=0,
    )
    local_asr: Literal["never", "last"] = setting(
        "never",
        "Speech recognition on this machine: last (where nothing else serves) or never (only when asked for by name).",
        "本机语音识别：last（其他来源都不可用时）或 never（仅在点名时）。",
        section="words",
        choices=("never", "last"),
    )
    local_asr_model_dir: str | None = setting(
        None,
        "Folders of your own speech models, separated as in PATH, for speech recognition on this machine.",
        "自备语音识别模型的目录（分隔方式同 PATH），用于本机识别。",
        section="words",
    )
    upload_provider: str = setting(
        "oss",
        "Where clips are uploaded that the speech service cannot fetch: oss inside mainland China, r2 elsewhere.",
        "转写服务无法直接获取的视频上传到哪里：中国大陆用 oss，其他地区用 r2。",
        section="words",
        choices=("oss", "r2"),
    )
    asr_poll_interval_sec: float = setting(
        3.0,
        "Longest pause between two looks at a speech job; it starts at 0.5 and grows.",
        "查询转写任务的最长间隔（秒），从 0.5 秒逐步增长。",
        section="words",
        least=0.1,
        most=60,
        yaml=("asr_strategy.poll_interval_sec",),
    )
    asr_min_sec: float = setting(
        13,
        "Clips up to this length are not sent to speech recognition.",
        "不超过此时长（秒）的视频不送转写。",
        section="words",
        least=0,
    )
    asr_max_sec: float = setting(
        1800,
        "Clips beyond this length are not sent to speech recognition.",
        "超过此时长（秒）的视频不送转写。",
        section="words",
        least=0,
    )
    asr_usd_per_hour: float | None = setting(
        None,
        "Your price for an hour of speech recognition; unset: counted in seconds only.",
        "每小时转写价格（美元）；不填则只统计秒数。",
        section="words",
        least=0,
    )

    # --- figures of a creator
    score_weights: str | None = setting(
        None,
        "What a like, a comment, a collect and a share weigh in the recency score; default 0.15,0.20,0.35,0.30.",
        "近期得分中点赞、评论、收藏、分享的权重；默认 0.15,0.20,0.35,0.30。",
        section="figures",
    )
    immature_hours: float = setting(
        72,
        "Works younger than this, hours, are shown but not compared.",
        "发布未满此小时数的作品只展示、不参与比较。",
        section="figures",
        least=0,
    )
    hit_thresholds: str | None = setting(
        None,
        "Likes that make a hit, rising; default by platform, such as 100,1000,10000.",
        "爆文点赞门槛（递增）；默认随平台，如 100,1000,10000。",
        section="figures",
    )
    ignore_works: str | None = setting(
        None,
        "Works to leave out of figures: pinned, sponsored, or both.",
        "不计入统计的作品：pinned（置顶）、sponsored（商单），逗号分隔。",
        section="figures",
    )
    words_file: Path | None = setting(
        None,
        "A file with words of your own field, one a line, that are never cut when texts are read for keywords.",
        "自定义词表文件，每行一词，提取关键词时不会被切开。",
        section="figures",
    )

    # --- analyses by a model
    llm_provider: str | None = setting(
        None,
        "Whose model writes analyses for --analyst: deepseek, qwen, ark, moonshot or ollama.",
        "--analyst 使用谁的模型：deepseek、qwen、ark、moonshot 或 ollama。",
        section="analyst",
    )
    llm_base_url: str | None = setting(
        None,
        "Address of any server with /chat/completions; default the provider's.",
        "任何提供 /chat/completions 的服务地址；默认用所选提供商的。",
        section="analyst",
    )
    llm_model: str | None = setting(
        None,
        "Name of the model; deepseek and qwen have a default.",
        "模型名称；deepseek 与 qwen 有默认值。",
        section="analyst",
    )
    llm_api_key: str | None = setting(
        None,
        "Its key; default the provider's own variable, such as DEEPSEEK_API_KEY. None is needed on this machine.",
        "其密钥；默认读取该提供商自己的变量（如 DEEPSEEK_API_KEY）；本机服务不需要。",
        section="analyst",
        secret=True,
    )
    llm_timeout_sec: float = setting(
        180,
        "Longest wait for one answer of the model, seconds.",
        "模型单次回答的最长等待（秒）。",
        section="analyst",
        least=1,
        most=3600,
    )
    llm_usd_per_mtok: str | None = setting(
        None,
        "Your price for a million tokens, USD, read and written, such as 0.5,1.5; unset: counted in tokens only.",
        "每百万 token 的价格（美元），输入与输出用逗号分隔，如 0.5,1.5；不填则只统计 token 数。",
        section="analyst",
    )
    llm_max_cost: float | None = setting(
        None,
        "What the model may cost in one run, USD; it needs a price, and without one nothing is asked.",
        "单次运行中模型费用上限（美元）；须已知价格，否则不发送请求。",
        section="analyst",
        least=0,
    )

    # --- where each value came from: setting name → source
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    # cookies of the user's own accounts, by variable name (``dispatch/cookies.py``)
    cookies: Mapping[str, str] = field(default_factory=dict, compare=False)
    # keys of other programs, by variable name: a model's provider may be known by its own (``dispatch/llm.py``)
    foreign_keys: Mapping[str, str] = field(default_factory=dict, compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def provider(self) -> Literal["tikomni", "tikhub"]:
        """Who answers the common routes: TikOmni, unless TikHub's key is the only one."""
        return "tikomni" if self.api_key or not self.tikhub_api_key else "tikhub"

    @property
    def origin(self) -> str:
        """The address of the upstream in use."""
        return self.base_url if self.provider == "tikomni" else self.tikhub_base_url

    def shelf_life(self, group: Literal["facts", "lists", "rankings", "text"]) -> float:
        """Seconds for which a stored answer of this group stands for a new one; text does not change."""
        if group == "text":
            return float("inf")
        return getattr(self, f"shelf_{group}_sec") if self.max_age_sec is None else self.max_age_sec

    @property
    def cards(self) -> Path:
        return self.card_root or self.output_root / "cards"

    @property
    def state(self) -> Path:
        return self.state_dir or data_home()

    @property
    def zone(self) -> ZoneInfo:
        """The zone of dates that people read.

        Raises:
            InputError: ``config``, where the system knows no such zone.
        """
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(self.display_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InputError("config", f"{PREFIX}DISPLAY_ZONE={self.display_zone!r}: no such time zone.") from None

    @property
    def user_agent(self) -> str:
        from tikomni import __version__

        return self.http_user_agent or f"tikomni-skills/{__version__}"

    def require_key(self) -> str:
        """The key of the upstream in use.

        Raises:
            InputError: ``missing_key``, or ``placeholder_key`` where it is a sample value.
        """
        if self.provider == "tikomni":
            return check_key(self.api_key, self.api_key_env)
        return check_key(self.tikhub_api_key, variable("tikhub_api_key"))


def check_key(key: str | None, name: str) -> str:
    """``key`` if it can be one; ``name`` is the variable that holds it.

    Raises:
        InputError: ``missing_key``, ``placeholder_key``, ``config``.
    """
    if not key:
        # The code's own hint names TikOmni's variable; another provider's wants its own.
        hint = None if name == PREFIX + "API_KEY" else f"Put {name}=… in the skills folder's .env (mode 600)."
        raise InputError("missing_key", f"No API key: {name} is not set.", hint=hint, details={"variable": name})
    if _PLACEHOLDER.search(key):
        raise InputError("placeholder_key", f"{name} still holds a sample value.")
    if not key.isascii() or any(c.isspace() for c in key):
        raise InputError("config", f"{name} holds white space or characters that no key has.")
    return key


_PLACEHOLDER = re.compile(
    r"(?i)^(?:<.*>|\.{3,}|x{4,}|\*+|(?:sk-)?(?:your|my|paste|enter|replace|change|insert|put|example|sample|dummy|todo)"
    r"(?:[-_ ].*|me.*)?|.*(?:your|api)[-_]?(?:api[-_]?)?key(?:[-_ ]?here)?|你的.*|.*密钥.*|sk-x+|none|null|test|key)$"
)

ROWS = tuple(f for f in fields(Settings) if f.metadata)
