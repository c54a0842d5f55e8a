"""What is under which licence is said, and goes along."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from model import zoo
from tests.running import ROOT


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


def test_the_code_is_under_the_apache_licence(project: dict[str, Any]) -> None:
    text = (ROOT / "LICENSE").read_text()
    assert project["license"] == "Apache-2.0"
    for words in ("Version 2.0, January 2004", "END OF TERMS AND CONDITIONS", "[yyyy]"):
        assert words in text


def test_the_files_that_the_package_names_are_there(project: dict[str, Any]) -> None:
    assert (ROOT / project["readme"]).is_file()
    for pattern in project["license-files"]:
        assert list(ROOT.glob(pattern)), pattern


@pytest.mark.parametrize("weights", zoo.ALL, ids=lambda weights: str(weights.file))
def test_the_notice_names_all_weights(weights: zoo.Weights) -> None:
    notice = (ROOT / "NOTICE").read_text()
    assert weights.file in notice
    assert weights.sha256 in notice
    licences = {"Apache-2.0": "Apache License 2.0", "MIT": "MIT License", "CC0-1.0": "CC0 1.0"}
    assert licences[weights.licence] in notice
    holder = weights.notice.split(",")[1].removeprefix(" Copyright ").removeprefix(" by ")
    assert holder.split(".")[0].split(";")[0].strip() in " ".join(notice.split())


def test_each_licence_of_the_weights_has_its_text() -> None:
    texts = " ".join(path.name for path in (ROOT / "model" / "licences").iterdir())
    assert all(weights.licence in texts for weights in zoo.ALL)
