"""`report.html`: one page to judge a model by, which holds everything that it shows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

from training.data.errors import DataError, saying_disk_full
from training.evaluation.corpus import Corpus
from training.evaluation.measure import Evaluation
from training.evaluation.output import figures
from training.evaluation.page_style import STYLE
from training.evaluation.plots import svg_of
from training.evaluation.tables import headlines, tables_of
from training.evaluation.text import TextTable, percent, scientific
from training.evaluation.verdict import verdict_of
from training.evaluation.worst import WorstPair, worst_false_matches, worst_false_non_matches

_MARK = '<meta name="generator" content="semblance report">'
_CAPTIONS = {
    "roc.png": (
        "ROC",
        "How many genuine pairs match (up) at how many false matches (left is stricter).",
    ),
    "det.png": (
        "DET",
        "Both errors; nearer to the lower left corner is better. Dotted: both are equal.",
    ),
    "scores.png": (
        "Scores",
        "The less the two overlap, the better. Dashed: the thresholds judged at.",
    ),
    "fusion.png": (
        "Whole verdicts",
        "The identity's own pictures that are refused, by rule and number of references, each "
        "at its own threshold for one FMR.",
    ),
    "reliability.png": (
        "Reliability",
        "On the dotted line a score is the probability of one person. Large dots: many pairs.",
    ),
}


def check_page_place(out: Path) -> None:
    """Raises DataError if something else than an earlier report is there."""
    if out.is_dir() or (out.exists() and _MARK not in out.read_text("utf-8", "replace")[:2000]):
        raise DataError(
            f"expected an earlier report or nothing at '{out.name}', found something else"
        )


def write_page(evaluation: Evaluation, corpus: Corpus, out: Path) -> None:
    """Writes the page, whole or not at all.

    Raises:
        DataError: If something else is there, or the disk is full.
    """
    check_page_place(out)
    page = page_of(evaluation, corpus)
    with saying_disk_full("free some and run it again"):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as name:
            part = Path(name) / out.name
            part.write_text(page, encoding="utf-8")
            os.replace(part, out)


def page_of(evaluation: Evaluation, corpus: Corpus) -> str:
    """The page as HTML."""
    manifest, comparisons = evaluation.manifest, evaluation.comparisons
    title = f"{manifest.name} {manifest.version} on {evaluation.facts.dataset}"
    threshold = manifest.detection_threshold
    parts = [
        _verdict(evaluation),
        _cautions(evaluation.cautions),
        _figures(evaluation),
        *(_table(table) for table in tables_of(evaluation)),
        _section(
            "Worst false matches",
            "Pairs of different identities with the highest scores, as the model saw them; each "
            "picture at most twice. First ask whether the names are right.",
            _gallery(worst_false_matches(corpus, comparisons), threshold, impostor=True),
        ),
        _section(
            "Worst false non-matches",
            "Pairs of one identity with the lowest scores.",
            _gallery(worst_false_non_matches(corpus, comparisons), threshold, impostor=False),
        ),
        _section("Data", "", _facts(evaluation)),
        _section("Model", "", _model(evaluation)),
    ]
    date = escape(evaluation.facts.measured_on)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'{_MARK}\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<header><p class="kind">Verification report · {date}</p>'
        f"<h1>{escape(manifest.name)} <small>{escape(manifest.version)}</small></h1>"
        f'<p class="on">measured on {escape(evaluation.facts.dataset)}</p></header>\n'
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _verdict(evaluation: Evaluation) -> str:
    verdict = verdict_of(evaluation)
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in verdict.sentences)
    return (
        f'<section class="verdict {verdict.tone}"><h2>{escape(verdict.headline)}</h2>'
        f"<ul>{items}</ul></section>"
    )


def _cautions(cautions: Sequence[str]) -> str:
    if not cautions:
        return ""
    items = "".join(f"<li>{escape(_sentence(caution))}</li>" for caution in cautions)
    return f'<section class="cautions"><h2>Before you rely on it</h2><ul>{items}</ul></section>'


def _figures(evaluation: Evaluation) -> str:
    drawn = []
    for name, figure in figures(evaluation).items():
        label, caption = _CAPTIONS[name]
        drawn.append(
            f"<figure>{svg_of(figure, label)}<figcaption>{escape(caption)}</figcaption></figure>"
        )
    return f'<section><h2>Curves</h2><div class="figures">{"".join(drawn)}</div></section>'


def _table(table: TextTable) -> str:
    head = "".join(f"<th scope=col>{escape(column)}</th>" for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _section(table.title, table.note, f'<div class="wide">{body}</div>')


def _gallery(pairs: Sequence[WorstPair], threshold: float, *, impostor: bool) -> str:
    cells = []
    for pair in pairs:
        wrong = (pair.score > threshold) == impostor
        kind = "wrong" if wrong else "right"
        said = "matches" if pair.score > threshold else "does not match"
        images = "".join(
            f'<img src="{address}" alt="{escape(name)}" title="{escape(name)}">'
            for name, address in zip(pair.names, pair.thumbnails, strict=True)
        )
        names = "".join(f"<span>{escape(name)}</span>" for name in pair.names)
        cells.append(
            f'<figure class="pair {kind}"><div>{images}</div><figcaption><b>{pair.score:.6f}</b> '
            f"{said}<br>{names}</figcaption></figure>"
        )
    return f'<div class="pairs">{"".join(cells)}</div>'


def _facts(evaluation: Evaluation) -> str:
    facts = evaluation.facts
    missed = f"{len(facts.missed):,}"
    if facts.missed:
        named = ", ".join(facts.missed[:5])
        missed += f" ({named}{', ...' if len(facts.missed) > 5 else ''})"
    rows = [
        ("Data set", facts.dataset),
        ("From pictures to scores", facts.source),
        ("Pairs and intervals", facts.protocol),
        ("Whole verdicts", evaluation.verdicts.protocol or "not measured"),
        ("Pictures with a face", f"{facts.pictures:,}"),
        ("Pictures without", missed),
        ("Identities", f"{facts.identities:,}"),
        ("Genuine pairs", f"{facts.genuine_pairs:,}"),
        ("Impostor pairs", f"{facts.impostor_pairs:,}"),
    ]
    return _definitions(rows) + "".join(
        f'<p class="line">{escape(_sentence(line))}</p>' for line in headlines(evaluation)[1:]
    )


def _model(evaluation: Evaluation) -> str:
    manifest = evaluation.manifest
    calibration = manifest.calibration
    rows = [
        ("Fingerprint of embeddings", manifest.fingerprint),
        ("Chip", f"{manifest.input_size[0]} x {manifest.input_size[1]} pixels"),
        ("Embedding", f"{manifest.embedding_size} numbers"),
        ("Detection threshold", f"{manifest.detection_threshold:.6g}"),
        ("Verification threshold", f"{manifest.verification_threshold:g}"),
        ("Run on", evaluation.facts.runtime),
        ("Calibrated on", f"{calibration.dataset}, {calibration.measured_on}"),
        ("Accuracy there", percent(calibration.accuracy)),
    ]
    rows += [
        (f"Weights: {one.file}", f"{one.licence}; {one.source}; SHA-256 {one.sha256}")
        for one in manifest.weights
    ]
    table = TextTable(
        "What the manifest promises",
        ("FMR", "threshold", "FMR interval", "FNMR"),
        tuple(
            (
                f"{point.fmr:.0e}",
                f"{point.threshold:.6f}",
                scientific(point.fmr_interval),
                percent(point.fnmr),
            )
            for point in calibration.points
        ),
    )
    return _definitions(rows) + _table(table)


def _definitions(rows: Sequence[tuple[str, str]]) -> str:
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f"<dl>{body}</dl>"


def _section(title: str, note: str, body: str) -> str:
    said = f'<p class="note">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{said}{body}</section>"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")
