"""The page's words: whole in every language, all of them used, none outside the files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import get_args

import pytest

from model.contract import Fusion
from model.quality import Reason
from service.api.problems import codes
from service.core.liveness.challenges import Movement
from service.core.liveness.ending import SENTENCES
from tests.running import ROOT

STATIC = ROOT / "static"
# What Unicode's CLDR asks of each language, less the forms for millions.
FORMS = {
    "en": {"one", "other"},
    "fr": {"one", "other"},
    "es": {"one", "other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
}
LITERAL = re.compile(r"'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`")
USED = re.compile(r"\bt\('([^']+)'|data-t(?:-[\w-]+)?=\"([^\"]+)\"")
NAMED = re.compile(r"'([\w.]+)'")
# `t(`slot.${pose}`)`, and what looks one up by a code of the service.
FAMILY = re.compile(r"`([\w.]+\.)\$\{|\bknown\('(\w+)'")
# Text that is code: lists of classes, selectors, paths of pictures, policies of the browser.
CODE = re.compile(r"^[\sa-z0-9.#,:>()\[\]=\"~*+-]*$|^M[\d. A-Za-z-]+$|^[\w/-]+$")


def texts(language: str) -> dict[str, str]:
    content: dict[str, str] = json.loads((STATIC / "lang" / f"{language}.json").read_bytes())
    return content


def bases(language: str) -> dict[str, set[str]]:
    """The placeholders of each key, whatever its forms."""
    found: dict[str, set[str]] = {}
    for key, text in texts(language).items():
        found.setdefault(key.split("#")[0], set()).update(re.findall(r"\{(\w+)\}", text))
    return found


def scripts() -> Iterator[tuple[str, str]]:
    """Name and source of each, without its comments."""
    for path in [*(STATIC / "js").rglob("*.js"), STATIC / "sw.js"]:
        source = re.sub(r"/\*\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        yield path.name, re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE)


def everything() -> str:
    return "\n".join([*(source for _, source in scripts()), html()])


def html() -> str:
    return (STATIC / "index.html").read_text(encoding="utf-8")


def test_the_languages_are_those_that_the_page_offers() -> None:
    source = (STATIC / "js" / "language.js").read_text(encoding="utf-8")
    offered = re.search(r"LANGUAGES = \{(.*?)\}", source)
    assert offered
    assert set(re.findall(r"(\w+):", offered[1])) == set(FORMS)
    assert {path.stem for path in (STATIC / "lang").iterdir()} == set(FORMS)


@pytest.mark.parametrize("language", FORMS)
def test_every_language_says_everything(language: str) -> None:
    assert bases(language) == bases("en")
    assert all(text.strip() for text in texts(language).values())


@pytest.mark.parametrize("language", FORMS)
def test_numbers_have_the_forms_of_the_language(language: str) -> None:
    forms: dict[str, set[str]] = {}
    for key in texts(language):
        base, _, form = key.partition("#")
        forms.setdefault(base, set()).add(form)
    wrong = {key: found for key, found in forms.items() if found not in ({""}, FORMS[language])}
    assert wrong == {}
    counted = {key for key, found in forms.items() if "other" in found}
    assert counted == {key.split("#")[0] for key in texts("en") if "#" in key}


@pytest.mark.parametrize("language", sorted(set(FORMS) - {"en"}))
def test_it_is_translated(language: str) -> None:
    own, english = texts(language), texts("en")
    same = {key for key, text in own.items() if english.get(key) == text and " " in text}
    # Numbers and names between signs are the same everywhere.
    assert {
        key for key in same if re.search(r"[a-z]{3}", re.sub(r"\{\w+\}", "", own[key]))
    } == set()


def test_every_text_that_is_asked_for_is_there() -> None:
    asked = {first or second for first, second in USED.findall(everything())}
    assert len(asked) > 100
    assert asked - set(bases("en")) == set()


def test_every_text_is_used() -> None:
    source = everything()
    named = {a or b for a, b in USED.findall(source)} | set(NAMED.findall(source))
    families = tuple(prefix or f"{kind}." for prefix, kind in FAMILY.findall(source))
    unused = {key for key in bases("en") if key not in named and not key.startswith(families)}
    assert unused == set()


def test_all_that_the_service_may_say_has_words() -> None:
    known = set(bases("en"))
    assert {f"problem.{code}" for code in codes()} - known == set()
    for reason in Reason:
        assert {f"reason.{reason}", f"advice.{reason}"} <= known
    for rule in get_args(Fusion):
        assert {f"fusion.{rule}", f"fusion.{rule}.help"} <= known
    assert {f"problem.not_live_{why}" for why in SENTENCES} <= known
    assert {f"challenge.{kind}" for kind in ("hold", *get_args(Movement))} <= known
    for source in ("request", "fmr", "settings", "default"):
        assert f"source.{source}" in known


def test_no_text_is_left_in_the_scripts() -> None:
    left = [
        f"{name}: {text}"
        for name, source in scripts()
        for pair in LITERAL.findall(source)
        for text in [re.sub(r"\$\{[^}]*\}", "", pair[0] or pair[1])]
        if re.search(r"[^\W\d_]{2,} [^\W\d_]{2,}", text) and not CODE.match(text)
    ]
    assert left == []


def test_no_text_is_left_in_the_page() -> None:
    seen: list[str] = []

    class Reader(HTMLParser):
        inside = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.inside = tag
            seen.extend(
                str(value) for name, value in attrs if name in ("alt", "title", "aria-label")
            )

        def handle_data(self, data: str) -> None:
            if self.inside != "noscript" and not html_is_without_script(data):
                seen.append(data.strip())

    Reader().feed(html())
    # The name is the same in every language; it is the title until a place has its own.
    assert {text for text in seen if text} == {"Semblance"}


def html_is_without_script(text: str) -> bool:
    """What is said where no language can be read."""
    return "needs JavaScript" in text


def test_the_element_for_other_sites_says_everything_in_every_language() -> None:
    script = (STATIC / "semblance-verify.js").read_text(encoding="utf-8")
    block = script[script.index("const WORDS = {") : script.index("\n};\n")]
    languages = {
        code: re.findall(r"(\w+): '", words)
        for code, words in re.findall(r"^  (\w\w): \{\n(.*?)^  \},", block, re.M | re.S)
    }
    assert {"en", "fr", "es", "ar"} <= set(languages)
    assert "identity_locked" in languages["en"]
    for code, words in languages.items():
        assert words == languages["en"], code
