"""CSV files of pairs, as people and spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.data.errors import DataError
from training.evaluation.pair_files import read_pairs


def file(folder: Path, text: str) -> Path:
    path = folder / "pairs.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "probe,reference,same\na/1.png,a/2.png,1\na/1.png,b/1.png,0\n",
        "\ufeffProbe; Same ;REFERENCE\r\na/1.png;TRUE;a/2.png\r\n\r\na\\1.png;False; b/1.png\r\n",
        "same\treference\tprobe\tcomment\ngenuine\ta/2.png\ta/1.png\t\nimpostor\tb/1.png\ta/1.png\tx",
        '"probe","reference","same"\n"a/1.png","a/2.png","yes"\n"a/1.png","b/1.png","no"',
    ],
    ids=["plain", "semicolons", "tabs and another column", "quoted"],
)
def test_one_list_in_four_spellings(tmp_path: Path, text: str) -> None:
    found = read_pairs(file(tmp_path, text))
    assert found.pairs == (("a/1.png", "a/2.png"), ("a/1.png", "b/1.png"))
    assert found.same == (True, False)
    assert found.folds is None
    assert found.groups is None


def test_folds_and_groups(tmp_path: Path) -> None:
    text = "probe,reference,same,fold,group\na,b,1,0,x\nc,d,0,3,\n"
    found = read_pairs(file(tmp_path, text))
    assert (found.folds, found.groups) == ((0, 3), ("x", ""))


HEADER = "probe,reference,same\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a header 'probe,reference,same', found 'pairs.csv' empty"),
        ("probe,same\na,1\n", "found probe, same: reference is missing"),
        ("a,b,1\n", r"found a, b, 1: probe, reference, same are missing"),
        ("probe,reference,same,same\na,b,1,1\n", "each column once in line 1"),
        (HEADER, "at least one pair below the header, found none in 'pairs.csv'"),
        (HEADER + "a,b,1\nc,d\n", "expected 3 fields, found 2, line 3 of 'pairs.csv'"),
        (HEADER + "a,b,1\n\na,b,maybe\n", "expected 1 or 0 under 'same', found 'maybe', line 4"),
        (HEADER + "a,,1\n", "expected a value under 'reference', found none, line 2"),
        ("probe,reference,same,fold\na,b,1,x\n", "whole number under 'fold', found 'x', line 2"),
        (HEADER + "../a,b,1\n", "expected a path below the images folder, found '../a', line 2"),
        (HEADER + "a,b/../../c,1\n", "found 'b/../../c', line 2"),
        (HEADER + "/etc/passwd,b,1\n", "found '/etc/passwd', line 2"),
        (HEADER + "C:\\a,b,1\n", "found 'C:\\a', line 2"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_pairs(file(tmp_path, text))
    assert said in str(caught.value)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a CSV file, found none named 'no\.csv'"):
        read_pairs(tmp_path / "no.csv")
    path = tmp_path / "binary.csv"
    path.write_bytes(b"\xff\xfe\x00probe")
    with pytest.raises(DataError, match=r"expected UTF-8 text in 'binary\.csv'"):
        read_pairs(path)
