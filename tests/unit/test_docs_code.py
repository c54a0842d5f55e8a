"""Code blocks of the documents are code, and what they name exists."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.website import markdown
from service.app import create_app
from service.commands.main import run
from service.settings import Settings
from tests.running import ROOT
from tests.unit.documents import PAGES, name, read

BLOCKS = [(name(path), block) for path in PAGES for block in markdown.blocks(read(path))]
SHELL = ("sh", "bash", "shell", "console", "")


def of(*languages: str) -> list[Any]:
    return [
        pytest.param(block.text, id=f"{page}:{block.line}")
        for page, block in BLOCKS
        if block.language in languages
    ]


def test_blocks_are_found() -> None:
    assert len(of("sh")) > 30
    assert len(of("python")) >= 4
    assert len(of("json")) >= 3


@pytest.mark.parametrize("text", of("python"))
def test_python_is_python(text: str) -> None:
    ast.parse(text)


@pytest.mark.parametrize("text", of("json"))
def test_json_is_json(text: str) -> None:
    """Or a member of it, or one JSON a line."""
    for form in ([text], ["{" + text + "}"], text.splitlines()):
        try:
            assert [json.loads(part) for part in form]
        except json.JSONDecodeError:
            continue
        return
    pytest.fail("this is no JSON")


def test_yaml_and_toml_are_that() -> None:
    for parameter in of("yaml", "yml"):
        assert list(yaml.safe_load_all(str(parameter.values[0]))), parameter.id
    for parameter in of("toml"):
        assert tomllib.loads(str(parameter.values[0])), parameter.id


def test_shell_is_shell() -> None:
    """All blocks in one run of bash, each a function that is never called."""
    script = "".join(
        f"block_{number}() {{\n{parameter.values[0]}\n:\n}}\n"
        for number, parameter in enumerate(of("sh", "bash"))
    )
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert not done.stderr


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_javascript_is_javascript(tmp_path: Path) -> None:
    for number, parameter in enumerate(of("js", "javascript")):
        file = tmp_path / f"block-{number}.mjs"
        file.write_text(str(parameter.values[0]), encoding="utf-8")
        done = subprocess.run(
            ["node", "--check", file], capture_output=True, text=True, check=False
        )
        assert not done.returncode, f"{parameter.id}: {done.stderr}"


# --- what is called -----------------------------------------------------------------------


def lines() -> Iterator[tuple[str, str]]:
    """(page, line) of shell blocks, continued lines joined, and of code between backquotes."""
    for path in PAGES:
        text = read(path)
        for block in markdown.blocks(text):
            if block.language in SHELL:
                for line in block.text.replace("\\\n", " ").splitlines():
                    yield name(path), line.partition(" #")[0]
        for _, line in markdown.prose(text):
            for code in re.findall(r"`([^`]+)`", line):
                yield name(path), code


LINES = list(lines())
# Words of a command: names of commands and options, to where another command or the shell begins.
CALL = re.compile(r"python -m ([a-z][\w.]*)([^;&|()]*)")
CALLS = sorted({(page, *found) for page, line in LINES for found in CALL.findall(line)})


@pytest.mark.parametrize(("page", "module", "rest"), CALLS)
def test_a_module_that_is_called_exists(page: str, module: str, rest: str) -> None:
    part = module.partition(".")[0]
    if part not in ("model", "training", "service", "bench", "tests", "docs"):
        return
    assert importlib.util.find_spec(module), page
    if part == "bench" and module != "bench":
        place = ROOT / module.replace(".", "/")
        sources = (place.with_suffix(".py"), place / "__main__.py")
        text = "".join(read(source) for source in sources if source.is_file())
        used = set(re.findall(r"(--[a-z][a-z-]*)", rest))
        # `bench.people` gives several of them the same options.
        text += read(ROOT / "bench" / "people.py")
        assert not {option for option in used if option not in text}, page


@pytest.mark.parametrize(
    ("page", "rest"), sorted({(page, rest) for page, module, rest in CALLS if module == "service"})
)
def test_a_command_of_the_service_exists_with_its_options(
    page: str, rest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = rest.split()
    options = {
        word.split("=")[0].strip("[]") for word in words if word.lstrip("[").startswith("--")
    }
    if not words or words[0].startswith("-") or words[0] in ("...", "COMMAND"):
        assert options <= {"--insecure", "--help"}, page
        return
    # A second word is a command of a command, such as `keys create`, or what it is done to.
    chain = [word for word in words[:2] if not word.startswith(("-", "[", "."))]
    shown = _help(chain, capsys)
    assert options <= set(re.findall(r"--[a-z][a-z-]*", shown)), page


def _help(chain: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        run([*chain, "--help"])
    assert left.value.code == 0, f"there is no command `{' '.join(chain)}`"
    return capsys.readouterr().out


def test_what_make_is_told_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    told = {
        (page, target)
        for page, line in LINES
        for target in re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", line)
    }
    assert len(told) > 5
    assert not {(page, target) for page, target in told if target not in targets}


# --- routes -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def routes() -> dict[str, set[str]]:
    """Path -> methods; `WS` for sockets, which OpenAPI does not know."""
    app = create_app(Settings.model_validate({}))
    paths = {path: {m.upper() for m in found} for path, found in app.openapi()["paths"].items()}
    sockets = {"/v1/verify/stream": {"WS"}, "/v1/liveness/stream": {"WS"}}
    short = {"/enroll": {"POST"}, "/verify": {"POST"}}
    own = {"/docs": {"GET"}, "/openapi.json": {"GET"}}
    return paths | sockets | short | own


def _methods(routes: dict[str, set[str]], path: str) -> set[str]:
    found: set[str] = set()
    for route, methods in routes.items():
        if re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(route)), path):
            found |= methods
    return found


def test_curl_calls_routes_that_exist(routes: dict[str, set[str]]) -> None:
    calls = [(page, line) for page, line in LINES if re.match(r"\s*(\$ )?curl\s", line)]
    assert len(calls) > 8
    for page, line in calls:
        address = re.search(r"https?://[^/\s\"']+(/[^\s\"'?]*)", line)
        assert address, f"{page}: {line}"
        if not address[1].startswith(("/v1", "/enroll", "/verify", "/metrics", "/healthz")):
            continue
        chosen = re.search(r"(?:-X|--request)\s+(\w+)", line)
        sends = re.search(r"\s(-F|-d|--form|--data\S*|--json)\s", line)
        method = chosen[1] if chosen else "POST" if sends else "GET"
        known = _methods(routes, address[1])
        # `-d` and no more: `POST /v1/liveness/sessions` takes a form as well.
        assert method in known, f"{page}: {method} {address[1]}"


def test_every_path_of_the_api_that_is_named_exists(routes: dict[str, set[str]]) -> None:
    named = {
        (name(path), found.rstrip("/."))
        for path in PAGES
        for found in re.findall(r"(?<![\w.])(/v1/[\w{}/-]+)", read(path))
    }
    assert len({path for _, path in named}) > 12
    assert not {(page, path) for page, path in named if not _methods(routes, path)}
