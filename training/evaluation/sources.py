"""From what a user named to a corpus: LFW, a folder, chips of `prepare`, a list of pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from model.artifact import Artifact
from model.faces import Detector
from model.runtimes.base import Runtime
from training.attributes.table import AttributeTable, read_attributes
from training.data.chips import CHIPS
from training.data.errors import DataError
from training.evaluation.corpus import Corpus, PairList, thinned
from training.evaluation.pair_files import read_pairs
from training.evaluation.prepared import embed_prepared, read_chip
from training.pairs import read_lfw_pairs
from training.pictures import chip_in, embed_chips, embed_folder, warm_up

LFW_NAME = "LFW (Labeled Faces in the Wild), original 250 x 250 pictures of pairs.txt"
_RAW = "pictures through decode, detect, the face nearest the middle, align, embed"
_CHIPS = "chips of prepare, as they are, through embed"


@dataclass(frozen=True)
class Choice:
    """What a user named on the command line; exactly one of the first four.

    Attributes:
        lfw: Folder with pairs.txt and a folder for each person.
        data: Folder with a folder of pictures for each identity.
        prepared: Output of `prepare`; of it the chips of `split`.
        pairs: CSV file; its paths lie below `images`.
        groups: CSV file with attributes of identities or pictures.
        group_by: Its columns to group by; all if empty.

    Raises:
        DataError: If the options do not fit together.
    """

    lfw: Path | None = None
    data: Path | None = None
    prepared: Path | None = None
    split: str = "test"
    pairs: Path | None = None
    images: Path | None = None
    groups: Path | None = None
    group_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = {
            "--lfw": self.lfw,
            "--data": self.data,
            "--prepared": self.prepared,
            "--pairs": self.pairs,
        }
        named = [name for name, value in given.items() if value is not None]
        if len(named) != 1:
            raise DataError(
                f"expected one of {', '.join(given)}, found {' and '.join(named) or 'none'}"
            )
        if (self.pairs is None) != (self.images is None):
            raise DataError("expected --pairs and --images together, found one without the other")
        if self.group_by and self.groups is None:
            raise DataError("expected --groups with --group-by, found none")
        for folder in (self.lfw, self.data, self.prepared, self.images):
            if folder is not None and not folder.is_dir():
                raise DataError(f"expected a folder, found none named '{folder.name}'")


def open_corpus(choice: Choice, artifact: Artifact, runtime: Runtime, *, quiet: bool) -> Corpus:
    """Reads and embeds what was chosen.

    Raises:
        DataError: If it is not what it was named as, or holds nothing to embed.
    """
    # Small files first: a misspelt column should not wait for thousands of pictures.
    table = None if choice.groups is None else _table(choice, choice.groups)
    if choice.lfw is not None:
        corpus = _lfw(choice.lfw, artifact, runtime, quiet)
    elif choice.prepared is not None:
        corpus = _prepared(choice.prepared, choice.split, runtime, quiet)
    elif choice.pairs is not None and choice.images is not None:
        corpus = _pairs(choice.pairs, choice.images, artifact, runtime, quiet)
    elif choice.data is not None:
        corpus = _folder(choice.data, artifact, runtime, quiet)
    return thinned(_with_attributes(corpus, table))


def lfw_list(folder: Path) -> PairList:
    """The pairs of LFW's pairs.txt.

    Raises:
        DataError: If there is none, or it is not one.
    """
    path = folder / "pairs.txt"
    if not path.is_file():
        raise DataError(f"expected LFW's pairs.txt in '{folder.name}', found none")
    try:
        pairs, same, folds = read_lfw_pairs(path)
    except (ValueError, IndexError) as error:
        raise DataError(f"expected LFW's list of pairs in pairs.txt, found: {error}") from error
    return PairList(tuple(pairs), tuple(same), tuple(folds))


def _lfw(folder: Path, artifact: Artifact, runtime: Runtime, quiet: bool) -> Corpus:
    listed = lfw_list(folder)
    return replace(_folder(folder, artifact, runtime, quiet), dataset=LFW_NAME, listed=listed)


def _folder(folder: Path, artifact: Artifact, runtime: Runtime, quiet: bool) -> Corpus:
    detector = Detector(artifact.detector)
    embedded = embed_folder(folder, detector, runtime, quiet=quiet)
    if not embedded.names:
        raise DataError(
            f"expected a folder of face pictures for each identity in '{folder.name}', found no "
            f"face in {len(embedded.missed)} pictures"
        )
    loose = next((name for name in embedded.names if "/" not in name), None)
    if loose is not None:
        raise DataError(
            f"expected each picture in a folder of its identity, found '{loose}' outside of any"
        )
    return Corpus(folder.name, _RAW, embedded, partial(chip_in, folder, detector, runtime.manifest))


def _prepared(folder: Path, split: str, runtime: Runtime, quiet: bool) -> Corpus:
    embedded = embed_prepared(folder, split, runtime, quiet=quiet)
    size = runtime.manifest.input_size
    return Corpus(
        f"{folder.name}, split {split}",
        _CHIPS,
        embedded,
        lambda name: read_chip(folder / CHIPS / name, size),
    )


def _pairs(path: Path, folder: Path, artifact: Artifact, runtime: Runtime, quiet: bool) -> Corpus:
    listed = read_pairs(path)
    root = folder.resolve()
    for name in sorted({name for pair in listed.pairs for name in pair}):
        place = (folder / name).resolve()
        if not place.is_relative_to(root):
            raise DataError(
                f"expected a path below '{folder.name}', found '{name}', which leads out"
            )
        if not place.is_file():
            raise DataError(f"expected the picture '{name}' of '{path.name}', found nothing there")
    chip_of = partial(chip_in, folder, warm_up(Detector(artifact.detector)), runtime.manifest)
    names = sorted({name for pair in listed.pairs for name in pair})
    embedded = embed_chips(names, chip_of, runtime, f"embed {folder.name}", quiet=quiet)
    if not embedded.names:
        raise DataError(f"expected pictures with a face, found none in {len(names)} pictures")
    return Corpus(path.name, _RAW, embedded, chip_of, listed=listed, named=False)


def _table(choice: Choice, path: Path) -> AttributeTable:
    table = read_attributes(path, choice.group_by)
    if table.key == "identity":
        if choice.pairs is not None:
            raise DataError(
                f"expected a column picture in line 1 of '{path.name}', found identity, which a "
                "list of pairs does not name"
            )
        return table
    prepared = None if choice.prepared is None else choice.prepared / CHIPS
    folder = choice.lfw or choice.data or choice.images or prepared
    for name in table.keys if folder is not None else ():
        if folder is not None and not (folder / name).is_file():
            raise DataError(
                f"expected pictures of '{folder.name}' in '{path.name}', found '{name}', which is "
                "none"
            )
    return table


def _with_attributes(corpus: Corpus, table: AttributeTable | None) -> Corpus:
    if table is None:
        return corpus
    by_identity = table.key == "identity"
    known = set(corpus.embedded.identities.tolist() if by_identity else corpus.embedded.names)
    if not known & set(table.keys):
        what = "groups of identities" if by_identity else "attributes of pictures"
        raise DataError(
            f"expected {what} such as '{min(known)}', found none of them in '{table.file}'"
        )
    without = len(known - set(table.keys))
    notes = corpus.notes
    if without:
        what = "identities without a group" if by_identity else "pictures without a row in --groups"
        notes = (*notes, f"{what}, in no row of the groups: {without}")
    return replace(corpus, attributes=table, notes=notes)
