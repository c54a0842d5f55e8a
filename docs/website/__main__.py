"""`python -m docs.website [FOLDER]`: builds the site; a warning is an error."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from docs.website.build import build
from docs.website.pages import ROOT
from docs.website.stage import BuildError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.website", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "docs")
    folder = parser.parse_args().folder.resolve()
    try:
        site = build(folder)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The site is in {site}. To read it with its search:")
    print(f"  {sys.executable} -m http.server --bind 127.0.0.1 --directory {site} 8080")
    return 0


if __name__ == "__main__":
    sys.exit(main())
