"""What the documents say is so: their commands run, their links lead somewhere, and a skill is what agents can read."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from dataclasses import fields
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tikomni import cli
from tikomni.analysis.figures import Figures
from tikomni.cli.base import Parser
from tikomni.envelope import tokens
from tikomni.sandbox import links
from tikomni.sandbox.world import hits, media
from tikomni.settings import ROWS, variable

ROOT = Path(__file__).resolve().parents[2]
SKILLS = sorted(folder for folder in (ROOT / "skills").iterdir() if (folder / "SKILL.md").is_file())
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
# Pages of routes are made from the catalogue, and its tests read them.
REFERENCES = [file for skill in SKILLS for file in sorted((skill / "references").glob("*.md"))]
ABOUT_SKILLS = [*(skill / "SKILL.md" for skill in SKILLS), *REFERENCES]
DOCUMENTS = [
    *READMES,
    *(ROOT / f"{n}.md" for n in ("ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "SECURITY")),
    *ABOUT_SKILLS,
]
# Its commands need a cookie; test_own_account runs every one of them.
ELSEWHERE = {"own-account.md"}

WORK, PERSON = links["dy_video"].url, links["repair"].url
ROUTE = "douyin.app.v3.fetch_one_video"
# What stands in a document for something of the reader's.
STANDS_FOR = {
    '"PROFILE LINK, SHARE TEXT OR HANDLE"': shlex.quote(PERSON),
    '"主页链接、分享文本或账号"': shlex.quote(PERSON),
    '"LINK, SHARE TEXT OR ID"': shlex.quote(WORK),
    '"链接、分享文本或 ID"': shlex.quote(WORK),
    '"A CREATOR"': shlex.quote(links["repair"].id),
    '"ANOTHER CREATOR"': shlex.quote(links["dy_3"].url),
    '"#TOPIC"': "'#收纳'",
    '"TOPIC LINK"': f"https://www.douyin.com/hashtag/{hits.topic_number('douyin', '收纳')}",
    '"LINK OR MEDIA FILE"': "film.mp4",
    '"THE USER\'S WORDS, link or id included"': shlex.quote(f"评论 {WORK}"),
    "ROUTE name=value other=value": f"{ROUTE} aweme_id={links['dy_video'].id}",
    "show ROUTE": f"show {ROUTE}",
    "GET PATH name=value": f"GET /api/u1/v1/douyin/app/v3/fetch_one_video aweme_id={links['dy_video'].id}",
}
TRANSCRIBE, RUN = ("transcribe", WORK), ("route", "call", ROUTE, f"aweme_id={links['dy_video'].id}")


def fences(file: Path, *languages: str) -> list[str]:
    return re.findall(rf"^```(?:{'|'.join(languages)})\n(.*?)^```", file.read_text("utf-8"), re.M | re.S)


def commands(file: Path) -> list[str]:
    lines = [line for block in fences(file, "bash", "sh") for line in block.splitlines()]
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def inline(file: Path) -> list[str]:
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^```.*?^```", "", file.read_text("utf-8"), flags=re.M | re.S))


def found(files: list[Path]) -> list:
    """A case for each command of the files; what is the same command for a reader of several is run once."""
    every = [(file, line) for file in files if file.name not in ELSEWHERE for line in commands(file)]
    different = {meant(file, line): (file, line) for file, line in reversed(every)}
    cases = sorted(different.values(), key=every.index)
    return [pytest.param(file, line, id=f"{file.relative_to(ROOT)}: {line}") for file, line in cases]


def meant(file: Path, line: str) -> str:
    """What a reader types: with something of theirs where the document has a stand-in, from the folder of the skill."""
    text = line.split("  #")[0].strip()
    for words, value in STANDS_FOR.items():
        text = text.replace(words, value)
    if len(file.relative_to(ROOT).parts) > 1:
        text = text.replace("SKILL_DIR", str(ROOT / "skills" / file.relative_to(ROOT).parts[1]))
    return text


def of_ours(words: list[str]) -> list[str] | None:
    """The command's words behind ``npx …``, ``tikomni-skills`` or ``node bin/…``; ``None`` for others."""
    for start in (["npx", "."], ["npx", "tikomni-skills"], ["node", "bin/tikomni-skills.js"], ["tikomni-skills"]):
        if words[: len(start)] == start:
            return words[len(start) :]
    return None


@cache
def parser(words: tuple[str, ...]) -> Parser:
    made = Parser(prog=" ".join(words))
    import_module(f"tikomni.cli.{next(c.module for c in cli.COMMANDS if c.words == words)}").add_arguments(made)
    return made


def parses(words: list[str]) -> None:
    words = cli._with_call(words)
    command = cli.find(words)
    assert command is not None
    parser(command.words).parse_intermixed_args(words[len(command.words) :])


# Not run, because they fetch packages from a registry, write to the machine of whoever tests, or run this very test:
# they are parsed, and what they name has to be there.
NOT_RUN = {
    r"npx (tikomni-skills|\.) (install|env)\b": lambda words: parses(of_ours(words)),
    r"npm (test|run) ?": lambda words: named_script(words),
    r"node bin/tikomni-skills\.js dev\b": lambda words: named_in(words[3], ROOT / "lib/tikomni/install", ROOT / "bin"),
    r"python benchmarks/": lambda words: exists(ROOT / words[1]),
    r"python -m ": lambda words: exists(find_spec(words[2])),
    r"echo 'TIKOMNI_API_KEY=…' > ": lambda words: exists("api_key" in {row.name for row in ROWS}),
}


def exists(what: object) -> None:
    assert what if not isinstance(what, Path) else what.is_file()


def named_script(words: list[str]) -> None:
    scripts = json.loads((ROOT / "package.json").read_text("utf-8"))["scripts"]
    assert (words[2] if words[1] == "run" else words[1]) in scripts


def named_in(word: str, *folders: Path) -> None:
    files = [file for folder in folders for file in folder.glob("*.*") if file.suffix in (".py", ".js")]
    assert any(re.search(rf"\b{word}\b", file.read_text("utf-8")) for file in files)


@pytest.fixture(scope="session")
def home_of_two(tmp_path_factory):
    """Where the home of somebody is kept who has read two creators, once there is one."""
    return tmp_path_factory.mktemp("kept") / "home"


@pytest.fixture
def reader(machine, run, sandbox, home_of_two):
    """Somebody who has the repository's skills in their folder, a film and a model, and does what a document says."""
    (machine.cwd / "skills").symlink_to(ROOT / "skills")
    model = {"BASE_URL": f"{sandbox.base_url}/v1", "MODEL": "sandbox-model", "API_KEY": sandbox.llm.key}
    machine.variables |= {f"TIKOMNI_LLM_{name}": value for name, value in model.items()}
    machine.variables["TIKOMNI_ASR_POLL_INTERVAL_SEC"] = "0.1"
    (machine.cwd / "film.mp4").write_bytes(media.find("dy_video", "video-540.mp4").read())

    def does(file: Path, line: str):
        text = meant(file, line)
        if "TASK_ID" in text:
            text = text.replace("TASK_ID", run(*TRANSCRIBE).document["result"]["works"][0]["task"])
        if "RUN_ID" in text:
            text = text.replace("RUN_ID", run(*RUN).document["run_id"])
        if re.search(r"compare_creators|library\.py", text):
            if not home_of_two.exists():
                assert run("creator", PERSON, links["dy_3"].url, "--no-transcripts").exit_status == 0
                shutil.copytree(machine.home, home_of_two)
            shutil.copytree(home_of_two, machine.home, dirs_exist_ok=True)
        if "--follow" in text:
            assert run("follow", "add", PERSON).exit_status == 0
            (machine.cwd / "rivals.yaml").write_text(f"- {links['dy_3'].url}\n", encoding="utf-8")
        python = shlex.quote(sys.executable)
        text = re.sub(r"^python3 ", f"{python} ", text)
        return machine.paste(re.sub(r"^npx (?:tikomni-skills|\.) ", f"{python} -m tikomni ", text))

    return does


@pytest.mark.parametrize(("file", "line"), found(DOCUMENTS))
def test_every_command_does_what_it_says(file, line, reader):
    for start, check in NOT_RUN.items():
        if re.match(start, line):
            check(shlex.split(line, comments=True))
            return
    ran = reader(file, line)
    assert ran.exit_status == 0, (line, ran.stdout[:600], ran.stderr[-600:])
    assert ran.document["ok"] and ran.document["status"] == "complete", ran.stdout[:600]


@pytest.mark.parametrize(
    "file", [*READMES, *(skill / "SKILL.md" for skill in SKILLS)], ids=lambda f: f"{f.parent.name}/{f.name}"
)
def test_there_are_commands(file):
    assert len(commands(file)) >= 3


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda f: str(f.relative_to(ROOT)))
def test_commands_flags_and_settings_in_running_text_exist(file):
    """Inline: whole commands parse, flags belong to some command, variables are settings."""
    text = file.read_text("utf-8")
    flags = {flag for c in cli.COMMANDS for action in parser(c.words)._actions for flag in action.option_strings}
    for code in inline(file):
        words = code.split()
        if (ours := of_ours(words)) and not re.search(r"[A-Z…<]{2,}|dev ", code):
            parses(ours)
        assert {w for w in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code)} <= flags, code
    known = {variable(row.name) for row in ROWS} | {"TIKOMNI_CONFIG_FILE", "TIKOMNI_PYTHON_OK", "TIKOMNI_SAMPLES"}
    known |= {"TIKOMNI_DOUYIN_CREATOR_COOKIE_FILE"}
    assert set(re.findall(r"TIKOMNI_[A-Z0-9_]+[A-Z0-9]", text)) <= known


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda f: str(f.relative_to(ROOT)))
def test_links_lead_somewhere(file):
    text = file.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = (file.parent / name).resolve() if name else file
        assert there.is_relative_to(ROOT) and there.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target


@pytest.mark.parametrize("skill", SKILLS, ids=lambda s: s.name)
def test_a_skill_is_within_the_specification(skill):
    raw = (skill / "SKILL.md").read_bytes()
    assert raw.startswith(b"---\n")
    head, body = raw.decode("utf-8")[4:].split("\n---\n", 1)
    keys = yaml.safe_load(head)
    assert {"name", "description"} <= set(keys) <= {
        "name", "description", "license", "compatibility", "metadata", "allowed-tools",
    }  # fmt: skip
    assert keys["name"] == skill.name and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", skill.name)
    assert 1 <= len(keys["description"]) <= 1024 and not set("<>") & set(keys["description"])
    assert re.search(r'^description: "', head, re.M), "unquoted, some clients read an empty description"
    assert len(keys["compatibility"]) <= 500
    assert tokens(body) < 1000 and len(body.splitlines()) < 500
    assert 1 <= len(commands(skill / "SKILL.md")) <= 5


@pytest.mark.parametrize("skill", SKILLS, ids=lambda s: s.name)
def test_a_skill_says_how_it_appears_to_people(skill):
    interface = yaml.safe_load((skill / "agents" / "openai.yaml").read_text("utf-8"))["interface"]
    assert 1 <= len(interface["display_name"]) <= 64 and interface["short_description"]


def test_descriptions_are_short_and_say_what_people_say():
    told = {
        s.name: yaml.safe_load((s / "SKILL.md").read_text("utf-8").split("\n---\n")[0][4:])["description"]
        for s in SKILLS
    }
    assert sum(map(len, told.values())) < 1000
    words = (
        "拆解 对标 爆款 选题 复盘 仿写 评论区 采集 涨粉 账号诊断 转写 数据表 comments search transcribe creator".split()
    )
    bearers = {word: [name for name, text in told.items() if word in text] for word in words}
    assert all(len(names) == 1 for names in bearers.values()), bearers
    assert all(re.search(r"[Nn]ever[^.]* likes", text) for text in told.values())


@pytest.mark.parametrize("file", REFERENCES, ids=lambda f: f"{f.parents[1].name}/{f.name}")
def test_a_reference_is_reached_from_its_skill_and_says_when_to_read_it(file):
    skill = file.parents[1]
    assert f"references/{file.name}" in (skill / "SKILL.md").read_text("utf-8")
    assert re.search(r"^Read this (when|before)", file.read_text("utf-8"), re.M)


@pytest.mark.parametrize("skill", SKILLS, ids=lambda s: s.name)
def test_a_skill_names_no_reference_or_script_that_it_has_not(skill):
    for code in inline(skill / "SKILL.md"):
        for name in re.findall(r"(?:references|scripts)/[\w./-]+\.(?:md|py)", code):
            assert (skill / name).is_file(), name


def test_columns_of_tables_are_told_in_their_order():
    page = (ROOT / "skills/creator-analysis/references/fields.md").read_text("utf-8").split("<!-- columns -->")[1]
    told = re.findall(r"^\| `(\w+)` \| (\S.*?) \| (.*?) \|", page, re.M)
    rows = yaml.safe_load((ROOT / "lib/tikomni/cards/tables.yaml").read_text("utf-8"))
    assert [(row["name"], row["zh"], row["en"]) for row in rows] == told[: len(rows)]


def test_every_figure_is_explained_and_every_reason_that_is_named_exists():
    page = (ROOT / "skills/creator-analysis/references/figures.md").read_text("utf-8")
    counted = {"works", "mature"}
    for name in {f.name for f in fields(Figures)} - counted:
        assert re.search(rf"`{name}\b", page), name
    told = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", page.split("## Reasons of a null")[1], re.M)))
    code = "".join(file.read_text("utf-8") for file in (ROOT / "lib/tikomni/analysis").glob("*.py"))
    made = {"fewer_than_10", "digg_count_zero", "play_count_zero", "pinned", "sponsored"}
    assert len(told) > 10 and all(reason in made or f'"{reason}"' in code for reason in told)


def test_the_excerpt_is_what_the_sandbox_answers(run):
    """The same command, the same members, to the digit."""
    (shown,) = fences(READMES[0], "json")
    assert fences(READMES[1], "json") == [shown]
    document = run("creator", PERSON, "--works", "100").document

    def within(part, whole):
        if isinstance(part, dict):
            return part.keys() <= whole.keys() and all(within(part[name], whole[name]) for name in part)
        if isinstance(part, list) and part and isinstance(part[0], dict):
            return all(within(one, whole[place]) for place, one in enumerate(part))
        return part == whole

    assert within(json.loads(shown), document), document


def test_the_readmes_are_in_step():
    one, other = (file.read_text("utf-8") for file in READMES)
    shape = re.compile(r"^(#+|>|\|)|^\*\*", re.M)
    assert [m[0][:1] for m in shape.finditer(one)] == [m[0][:1] for m in shape.finditer(other)]

    def bare(file: Path) -> list[str]:
        return [re.sub(r'"[^"]*"', '""', line) for line in commands(file)]

    assert bare(READMES[0]) == bare(READMES[1])
