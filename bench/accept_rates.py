"""True and false accept rates of the service on one person against others.

Starts the service, enrols the first pictures of a person, verifies other
pictures of the person and of other people over HTTP, and leaves a sheet of the
misses to look at:

    python -m bench.accept_rates --data footballers --person lionel_messi
"""

from __future__ import annotations

import argparse
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
from PIL import Image, ImageDraw

from bench.service import open_service

_TILE_PX = 220


@dataclass(frozen=True)
class Probe:
    """One answer. `outcome` is verified, refused, or a problem code."""

    path: Path
    genuine: bool
    outcome: str
    share: float
    best_score: float
    box: tuple[float, float, float, float] | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="one folder a person")
    parser.add_argument("--person", default="lionel_messi")
    parser.add_argument("--enrol", type=int, default=10)
    parser.add_argument("--probes", type=int, default=50, help="of the person, and of others")
    parser.add_argument("--out", type=Path, default=Path("bench/output"))
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as data,
        open_service(Path(data), lock_after=0) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        enrolled, later = _enrol(client, options.data / options.person, options.enrol)
        print(f"enrolled {len(enrolled)} pictures: {', '.join(p.name for p in enrolled)}")
        probes = [(path, True) for path in later[: options.probes]]
        others = _others(options.data, options.person, options.probes)
        probes += [(path, False) for path in others]
        answers = [_verify(client, path, genuine) for path, genuine in probes]
    _report(answers)
    options.out.mkdir(parents=True, exist_ok=True)
    misses = [a for a in answers if a.genuine != (a.outcome == "verified")]
    _sheet(misses, options.out / "misses.png")
    print(f"{len(misses)} misses drawn in {options.out / 'misses.png'}")


def _enrol(client: httpx.Client, folder: Path, count: int) -> tuple[list[Path], list[Path]]:
    """Enrols the first `count` pictures that are accepted with one face in them."""
    paths = sorted(folder.iterdir())
    enrolled: list[Path] = []
    for index, path in enumerate(paths):
        answer = client.post(
            "/v1/enroll",
            data={"identity": "person"},
            files={"images": (path.name, path.read_bytes())},
        )
        if answer.status_code == 201:
            enrolled.append(path)
        else:
            print(f"not enrolled: {path.name}: {answer.json()['code']}")
        if len(enrolled) == count:
            return enrolled, paths[index + 1 :]
    raise SystemExit(f"only {len(enrolled)} pictures of {folder.name} could be enrolled")


def _others(folder: Path, person: str, count: int) -> list[Path]:
    """Pictures of the other people in turn, so that each has about as many."""
    lists = [
        sorted(f.iterdir()) for f in sorted(folder.iterdir()) if f.is_dir() and f.name != person
    ]
    turns = [row[turn] for turn in range(max(map(len, lists))) for row in lists if turn < len(row)]
    return turns[:count]


def _verify(client: httpx.Client, path: Path, genuine: bool) -> Probe:
    answer = client.post(
        "/v1/verify",
        data={"identity": "person", "faces": "largest"},
        files={"image": (path.name, path.read_bytes())},
    )
    body = answer.json()
    if answer.status_code != 200:
        return Probe(path, genuine, body["code"], 0.0, 0.0, None)
    box = body["face"]["box"]
    return Probe(
        path,
        genuine,
        "verified" if body["verified"] else "refused",
        body["share"],
        max(score["score"] for score in body["scores"]),
        (box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]),
    )


def _report(answers: list[Probe]) -> None:
    for genuine, name in ((True, "true accepts"), (False, "false accepts")):
        chosen = [a for a in answers if a.genuine == genuine]
        verified = sum(a.outcome == "verified" for a in chosen)
        print(f"{name}: {verified} of {len(chosen)} ({100 * verified / len(chosen):.0f} %)")
    for a in answers:
        if a.genuine != (a.outcome == "verified"):
            print(
                f"  miss: {a.path.parent.name}/{a.path.name}: {a.outcome}, "
                f"share {a.share:.2f}, best score {a.best_score:.4f}"
            )


def _sheet(misses: list[Probe], out: Path) -> None:
    """The misses side by side, the chosen face framed."""
    columns = 5
    rows = max(1, -(-len(misses) // columns))
    sheet = Image.new("RGB", (columns * _TILE_PX, rows * (_TILE_PX + 16)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, miss in enumerate(misses):
        tile = Image.open(io.BytesIO(miss.path.read_bytes())).convert("RGB")
        if miss.box:
            ImageDraw.Draw(tile).rectangle(miss.box, outline="red", width=max(2, tile.width // 100))
        tile.thumbnail((_TILE_PX - 4, _TILE_PX - 4))
        x, y = number % columns * _TILE_PX, number // columns * (_TILE_PX + 16)
        sheet.paste(tile, (x, y))
        name = (
            f"{miss.path.parent.name[:14]}/{miss.path.stem} {miss.share:.1f} {miss.best_score:.3f}"
        )
        draw.text((x + 2, y + _TILE_PX), name, fill="black")
    sheet.save(out)


if __name__ == "__main__":
    main()
