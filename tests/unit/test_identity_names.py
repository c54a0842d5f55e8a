"""Which names an identity may have."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.requests import MAX_IDENTITY_LENGTH, check_identity


@pytest.mark.parametrize(
    "name",
    [
        "ada",
        "7",
        "Ada Lovelace",
        "ada@example.org",
        "o'neill",
        "a.b_c-d+e:f~g=h,i",
        "5f3c0d2e-9a4b-4c3f-8e1d-7a6b5c4d3e2f",
        "Łukasz",
        "Nguyễn Văn",
        "Αλέξανδρος",
        "李小龍",
        "राजीव",  # vowel signs are marks, not letters
        "தமிழ்",
        "محمد",
        "กฤษณ์",
        "a...",
        "x" * MAX_IDENTITY_LENGTH,
    ],
)
def test_accepted(name: str) -> None:
    assert check_identity(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " ada",
        "ada ",
        "\tada",
        "ada\n",
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "a\u200bb",  # zero width space
        "a\ufe0fb",  # variation selector
        "a\u034fb",  # grapheme joiner
        "a\u202eb",  # right-to-left override
        "\ufeffada",
        ".",
        "..",
        "../../etc/passwd",
        "a/b",
        "a\\b",
        "C:\\x",
        "~root",
        "-rf",
        "_",
        "@ada",
        "<script>",
        'a"b',
        "a;b",
        "a%2e",
        "a*",
        "\U0001f600",  # emoji are symbols, not letters
        "ada\U0001f600",
        "\u0301ada",  # a mark with no letter before it
        "\ud800",  # half of a surrogate pair
        "x" * (MAX_IDENTITY_LENGTH + 1),
        "x" * 10_000,
    ],
    ids=ascii,
)
def test_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"an identity (has|begins|holds)"):
        check_identity(name)


def test_composed_and_decomposed_names_are_one() -> None:
    composed, decomposed = "Zoë", "Zoe\u0308"
    assert composed != decomposed
    assert check_identity(composed) == check_identity(decomposed) == composed


def test_the_length_is_that_of_the_composed_name() -> None:
    assert len(check_identity("e\u0308" * MAX_IDENTITY_LENGTH)) == MAX_IDENTITY_LENGTH


@settings(deadline=None)
@given(st.text(max_size=200))
def test_an_accepted_name_is_safe_anywhere(text: str) -> None:
    try:
        name = check_identity(text)
    except ValueError:
        return
    assert check_identity(name) == name
    assert 1 <= len(name) <= MAX_IDENTITY_LENGTH
    assert not re.search(r"[/\\\x00-\x1f\x7f<>\"%;*?|&$`(){}\[\]#!^]", name)
    assert name.strip() == name
    assert name[0].isalnum()
    name.encode("utf-8")
