"""The commands that measure an artifact: `evaluate`, `calibrate`, `report`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from model.artifact import read_artifact
from training.evaluation.gallery import REFERENCES
from training.options import DEFAULT_ARTIFACT, ProfileOption, QuietOption, RuntimeOption

if TYPE_CHECKING:
    from training.evaluation.text import TextTable

console = Console()

_ArtifactArgument = Annotated[Path, typer.Argument(help="Folder of the artifact.")]
_Lfw = Annotated[
    Path | None, typer.Option("--lfw", help="LFW: a folder with pairs.txt and the pictures.")
]
_Data = Annotated[
    Path | None, typer.Option("--data", help="A folder of pictures for each identity.")
]
_Prepared = Annotated[
    Path | None, typer.Option("--prepared", help="Output of prepare; see --split.")
]
_Split = Annotated[str, typer.Option("--split", help="Of --prepared: test, dev, train or all.")]
_Pairs = Annotated[
    Path | None,
    typer.Option("--pairs", help="CSV with probe, reference, same and perhaps fold, group."),
]
_Images = Annotated[
    Path | None, typer.Option("--images", help="Folder that the paths of --pairs lie in.")
]
_Groups = Annotated[
    Path | None,
    typer.Option("--groups", help="CSV with identity or picture, and a column an attribute."),
]
_GroupBy = Annotated[
    str, typer.Option("--group-by", help="Columns of --groups, with commas; all if unset.")
]
_Threshold = Annotated[
    float, typer.Option("--threshold", help="Detection threshold, besides the model's own.")
]
_Verification = Annotated[
    float | None, typer.Option("--verification", help="Share of references; the model's if unset.")
]
_References = Annotated[int, typer.Option("--references", help="Of an identity, in the gallery.")]
_Prior = Annotated[
    float, typer.Option("--prior", help="Share of genuine pairs that probabilities are for.")
]
_Verdicts = Annotated[
    bool,
    typer.Option("--verdicts/--no-verdicts", help="Whole verdicts: each rule, 1 to 10 references."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(evaluate)
    app.command()(report)
    app.command()(calibrate)
    app.command("calibrate-default")(calibrate_default)


def evaluate(
    *,
    artifact: _ArtifactArgument = DEFAULT_ARTIFACT,
    lfw: _Lfw = None,
    data: _Data = None,
    prepared: _Prepared = None,
    split: _Split = "test",
    pairs: _Pairs = None,
    images: _Images = None,
    groups: _Groups = None,
    group_by: _GroupBy = "",
    threshold: _Threshold = 0.5,
    verification: _Verification = None,
    references: _References = REFERENCES,
    prior: _Prior = 0.5,
    verdicts: _Verdicts = True,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for results.json and plots.")
    ] = None,
    runtime: RuntimeOption = "openvino",
    quiet: QuietOption = False,
) -> None:
    """Error rates of an artifact on LFW, pictures, prepared chips or a list of pairs."""
    from training.evaluation.measure import Settings
    from training.evaluation.measure import evaluate as run
    from training.evaluation.output import check_results_place, write_results
    from training.evaluation.sources import Choice, open_corpus
    from training.evaluation.tables import headlines, tables_of
    from training.runtimes import load_runtime

    choice = Choice(lfw, data, prepared, split, pairs, images, groups, _columns(group_by))
    settings = Settings(threshold, verification, references, prior, verdicts)
    if out is not None:
        check_results_place(out)
    read = read_artifact(artifact)
    loaded = load_runtime(read, runtime)
    corpus = open_corpus(choice, read, loaded, quiet=quiet)
    found = run(corpus, loaded, settings, quiet=quiet)
    for table in tables_of(found):
        _show(table)
    for line in headlines(found):
        console.print(line, soft_wrap=True)
    for caution in found.cautions:
        console.print(f"warning: {caution}", style="yellow", soft_wrap=True)
    if out is not None:
        write_results(found, out)
        console.print(f"figures and plots in {out}", soft_wrap=True)


def report(
    *,
    artifact: _ArtifactArgument = DEFAULT_ARTIFACT,
    lfw: _Lfw = None,
    data: _Data = None,
    prepared: _Prepared = None,
    split: _Split = "test",
    pairs: _Pairs = None,
    images: _Images = None,
    groups: _Groups = None,
    group_by: _GroupBy = "",
    threshold: _Threshold = 0.5,
    verification: _Verification = None,
    references: _References = REFERENCES,
    prior: _Prior = 0.5,
    verdicts: _Verdicts = True,
    out: Annotated[Path, typer.Option("--out", help="HTML file to write.")] = Path("report.html"),
    runtime: RuntimeOption = "openvino",
    quiet: QuietOption = False,
) -> None:
    """One HTML page to judge an artifact by; it holds everything that it shows."""
    from training.evaluation.measure import Settings
    from training.evaluation.measure import evaluate as run
    from training.evaluation.page import check_page_place, write_page
    from training.evaluation.sources import Choice, open_corpus
    from training.runtimes import load_runtime

    choice = Choice(lfw, data, prepared, split, pairs, images, groups, _columns(group_by))
    settings = Settings(threshold, verification, references, prior, verdicts)
    check_page_place(out)
    read = read_artifact(artifact)
    loaded = load_runtime(read, runtime)
    corpus = open_corpus(choice, read, loaded, quiet=quiet)
    found = run(corpus, loaded, settings, quiet=quiet)
    write_page(found, corpus, out)
    console.print(f"report in {out}", soft_wrap=True)


def calibrate(
    *,
    artifact: _ArtifactArgument,
    lfw: _Lfw = None,
    data: _Data = None,
    prepared: _Prepared = None,
    split: _Split = "test",
    pairs: _Pairs = None,
    images: _Images = None,
    prior: _Prior = 0.5,
    out: Annotated[
        Path | None, typer.Option("--out", help="Artifact to write; the given one if unset.")
    ] = None,
    runtime: RuntimeOption = "openvino",
    quiet: QuietOption = False,
) -> None:
    """Make scores probabilities and measure the FMR table, on pictures of your own."""
    from training.artifact_files import check_place
    from training.evaluation.calibrate import calibrate as run
    from training.evaluation.sources import Choice, open_corpus
    from training.evaluation.verdict_tables import fusion_table
    from training.runtimes import load_runtime

    choice = Choice(lfw, data, prepared, split, pairs, images)
    target = artifact if out is None else out
    check_place(target)
    read = read_artifact(artifact)
    loaded = load_runtime(read, runtime)
    corpus = open_corpus(choice, read, loaded, quiet=quiet)
    done = run(read, corpus, loaded, target, prior=prior, quiet=quiet)
    table = Table("on held-out identities", "Brier", "log loss", "calibration error")
    for name, of in (("before", done.held_out.before), ("after", done.held_out.after)):
        table.add_row(name, f"{of.brier:.4f}", f"{of.log_loss:.4f}", f"{of.ece:.4f}")
    console.print(table)
    console.print(
        f"{done.held_out.genuine_pairs:,} genuine and {done.held_out.impostor_pairs:,} impostor "
        f"pairs in {done.held_out.folds} folds of identities, prior {prior:g}; score = "
        f"sigmoid({done.scaling.slope:.4f} logit {done.scaling.intercept:+.4f})",
        soft_wrap=True,
    )
    rows = Table("FMR", "threshold", "FNMR")
    manifest = done.artifact.manifest
    for point in manifest.calibration.points:
        rows.add_row(f"{point.fmr:.0e}", f"{point.threshold:.6f}", f"{100 * point.fnmr:.2f} %")
    console.print(rows)
    if manifest.calibration.verdicts:
        _show(fusion_table(manifest.calibration.verdicts))
    console.print(
        f"detection threshold {manifest.detection_threshold:.6f}; embeddings and fingerprint "
        f"{manifest.fingerprint} unchanged; written to {target}",
        soft_wrap=True,
    )


def calibrate_default(
    artifact: Annotated[
        Path | None, typer.Argument(help="Artifact to measure; the profile's if unset.")
    ] = None,
    *,
    profile: ProfileOption = "accurate",
    lfw: Annotated[Path, typer.Option("--lfw", help="Folder with pairs.txt and the pictures.")],
    people: Annotated[
        Path | None,
        typer.Option("--people", help="A folder an identity, for the table of whole verdicts."),
    ] = None,
    leave_out: Annotated[
        str, typer.Option("--leave-out", help="Of --people, with commas: the wrongly named.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="JSON file; that of training/fitted if unset.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Measure a model on LFW; keeps both tables as JSON, of a profile in training/fitted."""
    from model.runtimes.openvino_runtime import OpenVinoRuntime
    from training.build import build as run
    from training.calibration import People, calibration_of, measure_lfw
    from training.data.errors import DataError
    from training.profiles import profile as profile_of
    from training.uncalibrated import uncalibrated

    chosen = profile_of(profile)
    if artifact is not None and out is None:
        raise DataError("expected --out for the figures of a named artifact, found none")
    with tempfile.TemporaryDirectory() as folder:
        measured = (
            run(Path(folder) / "uncalibrated", chosen, calibration=uncalibrated())
            if artifact is None
            else read_artifact(artifact)
        )
        result = measure_lfw(
            measured,
            OpenVinoRuntime(measured),
            lfw,
            people=None if people is None else People(people, leave_out),
            quiet=quiet,
        )
    calibration = calibration_of(result)
    target = chosen.calibration_file if out is None else out
    target.write_text(calibration.model_dump_json(indent=2) + "\n", encoding="utf-8")
    console.print(f"LFW 10-fold accuracy {100 * calibration.accuracy:.2f} %")


def _columns(text: str) -> tuple[str, ...]:
    """Names divided by commas, such as "yaw, eyes_px"."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _show(table: TextTable) -> None:
    shown = Table(title=table.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column in table.columns:
        shown.add_column(column, no_wrap=True)
    for row in table.rows:
        shown.add_row(*row)
    # A file or a pipe has no width of its own.
    Console(width=max(console.width, 160)).print(shown)
