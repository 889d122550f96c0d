"""What is proven before a release, with the real tools: ``npm run check:release [STEP …]``.

Validators and a scanner that others wrote judge the skills; the packed tarball is installed into an empty home for four
agents, used against the sandbox, updated, edited, updated again and removed; other installers and the agents' own
discovery are tried where they are on this machine. Heavy: it installs tools into ``.release/`` and takes minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tikomni.sandbox import Sandbox, links

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".release" / "tools"
VALIDATORS = ("skills-ref==0.1.1", "agnix==0.59.3", "cisco-ai-skill-scanner==2.3.2")
AGENTS = {
    "claude-code": ".claude/skills",
    "codex": ".agents/skills",
    "openclaw": ".openclaw/skills",
    "universal": ".agents/skills",
}
# Each skill's main command, as an agent runs it.
MAIN = {
    "single-work-analysis": ("analyze_work.py", links["dy_video"].url),
    "creator-analysis": ("analyze_creator.py", "--dry-run", links["repair"].url),
    "meta-capability": ("call_route.py", "health.check"),
}
# Agents' own ways to say which skills they see; run where the program is on PATH.
DISCOVERY = {
    "codex": ("codex", "debug", "prompt-input", "hi"),
    "gemini": ("gemini", "skills", "list", "--all"),
    "opencode": ("opencode", "debug", "skill"),
}


class Failed(Exception):
    """A check did not hold; its text says which and why."""


def run(*command: str | Path, expect: int | None = 0, **options: Any) -> str:
    """Run ``command`` to its end and return what it printed; its exit status must be ``expect`` unless that is None."""
    done = subprocess.run([str(part) for part in command], capture_output=True, encoding="utf-8", **options)
    if expect is not None and done.returncode != expect:
        words = " ".join(map(str, command))
        raise Failed(f"{words}: exit {done.returncode}, not {expect}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def need(holds: object, what: str) -> None:
    if not holds:
        raise Failed(what)


class Home:
    """An empty home with the packed tarball at hand."""

    def __init__(self, folder: Path, tarball: Path, **variables: str) -> None:
        self.folder, self.tarball = folder, tarball
        folder.mkdir(parents=True)
        kept = {
            name: os.environ[name] for name in ("PATH", "npm_config_cache", "npm_config_registry") if name in os.environ
        }
        kept |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
        self.environ = {**kept, "HOME": str(folder), "npm_config_cache": str(folder / ".npm"), **variables}

    def npx(self, *words: str | Path, expect: int | None = 0) -> dict[str, Any]:
        command = ("npx", "--yes", "--package", self.tarball, "tikomni-skills", *words)
        return json.loads(run(*command, expect=expect, env=self.environ, cwd=self.folder))

    def script(self, path: Path, *words: str) -> dict[str, Any]:
        return json.loads(run("python3", path, *words, env=self.environ, cwd=self.folder))


def pack(scratch: Path) -> Path:
    """The tarball that npm would publish."""
    told = json.loads(run("npm", "pack", "--json", "--pack-destination", scratch, cwd=ROOT))
    print(f"  {told[0]['filename']}: {told[0]['size']:,} bytes, {told[0]['entryCount']} files")
    return scratch / told[0]["filename"]


def tools() -> Path:
    """The validators' programs, installed once."""
    mark = TOOLS / "installed.txt"
    if not mark.is_file() or mark.read_text() != "\n".join(VALIDATORS):
        run(sys.executable, "-m", "venv", "--clear", TOOLS)
        run(TOOLS / "bin" / "python", "-m", "pip", "install", "--quiet", *VALIDATORS)
        mark.write_text("\n".join(VALIDATORS))
    return TOOLS / "bin"


def validators(scratch: Path, tarball: Path) -> None:
    programs, dist = tools(), bundle(scratch, tarball)
    folders = sorted(path for path in dist.iterdir() if path.is_dir() and not path.name.startswith("."))
    need(len(folders) == len(MAIN), f"{len(folders)} skills in {dist}")
    for folder in folders:
        run(programs / "agentskills", "validate", folder)
    print(run(programs / "agnix", ".", cwd=dist).strip())


def scanner(scratch: Path, tarball: Path) -> None:
    programs, dist, report = tools(), bundle(scratch, tarball), scratch / "scan.json"
    command = (programs / "skill-scanner", "scan-all", dist, "--recursive", "--use-behavioral", "--use-trigger")
    policy = ("--check-overlap", "--policy", ROOT / "tools" / "scanner_policy.yaml")
    run(*command, *policy, "--format", "json", "-o", report, expect=None)
    found = json.loads(report.read_text(encoding="utf-8"))
    need(found["summary"]["total_skills_scanned"] == len(MAIN), "the scanner did not look at every skill")
    counts = found["summary"]["findings_by_severity"]
    print(f"  {counts}")
    findings = [row for result in found["results"] for row in result["findings"]] + found["cross_skill_findings"]
    for (severity, rule), count in sorted(Counter((row["severity"], row["rule_id"]) for row in findings).items()):
        print(f"  {count:3} × {severity} {rule}")
    high = [
        f"{row['severity']} {row['rule_id']} {row.get('file_path')}:{row.get('line_number')}"
        for row in findings
        if row["severity"] in ("HIGH", "CRITICAL")
    ]
    need(not high, "\n".join(high))


def bundle(scratch: Path, tarball: Path) -> Path:
    dist = scratch / "dist"
    if not dist.is_dir():
        Home(scratch / "bundler", tarball).npx("bundle", "--dir", dist)
    return dist


def life(scratch: Path, tarball: Path) -> None:
    """Install, use, update, edit, update, remove, for each agent."""
    with Sandbox(rate=None).start() as sandbox:
        known = {"TIKOMNI_BASE_URL": sandbox.base_url, "TIKOMNI_API_KEY": sandbox.key}
        shared = scratch / "data"
        for agent, place in AGENTS.items():
            home = Home(scratch / agent / "my 家", tarball, XDG_DATA_HOME=str(shared), **known)
            skills = home.folder / place
            home.npx("install", agent)
            for skill, (script, *words) in MAIN.items():
                document = home.script(skills / skill / "scripts" / script, *words)
                need(document["ok"], f"{agent}: {skill}: {document}")
            need(not list(skills.rglob("__pycache__")), f"{agent}: something was compiled into the skills")
            need(home.npx("update")["result"]["kept"] == [], f"{agent}: an update kept something")
            edited = skills / "creator-analysis" / "SKILL.md"
            edited.write_text(edited.read_text(encoding="utf-8") + "\nmine\n", encoding="utf-8")
            (skills / ".env").write_text("TIKOMNI_LANGUAGE=zh\n")
            need(home.npx("update", expect=3)["result"]["kept"] == [str(edited)], f"{agent}: the edit is not named")
            need(edited.read_text(encoding="utf-8").endswith("mine\n"), f"{agent}: the edit is gone")
            home.npx("remove", agent, "--force")
            left = [path.relative_to(skills).as_posix() for path in skills.rglob("*") if path.is_file()]
            need(
                {path for path in left if not path.startswith(".tikomni-skills/backups/")} == {".env"},
                f"{agent}: {left}",
            )
            print(f"  {agent}: installed, used, updated, edited, updated, removed")


def others(scratch: Path, tarball: Path) -> None:
    """Another installer copies the bundle; the agents that are here find what was installed."""
    dist = bundle(scratch, tarball)
    with Sandbox(rate=None).start() as sandbox:
        home = Home(
            scratch / "others", tarball, XDG_DATA_HOME=str(scratch / "data"), TIKOMNI_BASE_URL=sandbox.base_url,
            TIKOMNI_API_KEY=sandbox.key, DISABLE_TELEMETRY="1",
        )  # fmt: skip
        (home.folder / ".claude").mkdir()
        command = ("npx", "--yes", "skills", "add", dist, "-g", "-a", "claude-code", "-s", "*", "-y")
        run(*command, env=home.environ, cwd=home.folder)
        for skill, (script, *words) in MAIN.items():
            scripts = home.folder / ".claude" / "skills" / skill / "scripts"
            home.script(scripts / "setup_env.py")
            need(home.script(scripts / script, *words)["ok"], f"{skill} as npx skills copied it")
        print("  npx skills add: every main command runs")
        home.npx("install", "codex,gemini,opencode")
        for name, words in DISCOVERY.items():
            if shutil.which(words[0]) is None:
                print(f"  {name}: not on this machine, not tried")
                continue
            told = run(*words, env=home.environ, cwd=home.folder)
            missing = [skill for skill in MAIN if skill not in told]
            need(not missing, f"{name} does not see {missing}")
            print(f"  {name}: sees the skills")
        if shutil.which("claude") is None:
            print("  claude: not on this machine, not tried")
        else:
            plugin(home)


def plugin(home: Home) -> None:
    """Claude Code takes the repository as a marketplace; that a manifest is valid does not say that it loads."""
    for words in (
        ("validate", "--strict", ROOT),
        ("marketplace", "add", ROOT),
        ("install", "tikomni-skills@tikomni-skills"),
    ):
        run("claude", "plugin", *words, env=home.environ, cwd=home.folder)
    [told] = json.loads(run("claude", "plugin", "list", "--json", env=home.environ, cwd=home.folder))
    need(not told.get("errors"), f"claude: {told}")
    print("  claude: the plugin is installed and loads")


STEPS: dict[str, Callable[[Path, Path], None]] = {
    "validators": validators,
    "scanner": scanner,
    "life": life,
    "others": others,
}


def main(arguments: list[str]) -> int:
    unknown = [name for name in arguments if name not in STEPS]
    if unknown:
        print(f"No step {', '.join(unknown)}. Steps: {', '.join(STEPS)}.", file=sys.stderr)
        return 2
    failed = []
    with tempfile.TemporaryDirectory(prefix="tikomni-release-") as folder:
        print("pack")
        tarball = pack(Path(folder))
        for name in arguments or STEPS:
            print(name, flush=True)
            try:
                STEPS[name](Path(folder), tarball)
            except Failed as failure:
                failed.append(name)
                print(f"FAILED: {failure}", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "all steps hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
