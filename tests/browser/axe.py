"""What axe-core finds on a page that would keep people out."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

_RUN = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
  .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id} at ${target.join(' ')}: ${failureSummary.replaceAll('\\n', ' ')}`))"""


@cache
def _script() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Rule and place of each; all of axe's rules, best practices too."""
    # Through the debugger: the page's own policy lets no other script in.
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    # Colours that are on their way are of no scheme.
    page.wait_for_timeout(250)
    found: list[str] = page.evaluate(_RUN)
    return found
