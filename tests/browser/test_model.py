"""The model's place: what it says of costs is what was measured."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit

_COSTS = """async ([points, threshold]) => {
  const { costs } = await import('/static/js/model/costs.js');
  return costs(points, threshold);
}"""


def test_table_curve_and_slider(visit: Visit) -> None:
    page = visit(at="model")
    model = page.request.get(f"{page.url.split('#')[0]}v1/model").json()
    points = model["calibration"]["points"]
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(len(points))
    expect(rows.nth(0)).to_contain_text("1 in 100")
    expect(page.locator("tr[data-current]")).to_contain_text("1 in 10,000")
    expect(page.locator("tr[data-current]")).to_contain_text("in force")
    expect(page.locator(".det-point")).to_have_count(len(points))
    expect(page.locator(".area-loaded")).to_contain_text("face_detection_yunet_2023mar.onnx (MIT)")
    expect(page.locator(".area-loaded")).to_contain_text(model["fingerprint"])

    meaning = page.locator("#detection-meaning")
    expect(meaning).to_contain_text("About 1 in 10,000 strangers")
    fnmr = next(point["fnmr"] for point in points if point["fmr"] == 1e-4)
    expect(meaning).to_contain_text(f"About {100 * fnmr:.1f} in 100 attempts")
    place = _place_of_mark(page)
    page.get_by_label("Detection threshold").press("PageUp")
    # Stricter: fewer strangers, more of the right people turned away.
    assert _place_of_mark(page)[0] < place[0]
    assert _place_of_mark(page)[1] < place[1]
    expect(meaning).to_contain_text(re.compile(r"About 1 in \d+0,000 strangers"))
    page.get_by_label("Detection threshold").press("End")
    expect(meaning).to_contain_text("Fewer than 1 in 1,000,000 strangers")
    expect(meaning).to_contain_text("More than 13 in 100 attempts")
    # What screen readers hear of the slider is the same.
    text = page.get_by_label("Detection threshold").get_attribute("aria-valuetext")
    assert text
    assert "Fewer than 1 in 1,000,000" in text


def test_costs_are_the_table_where_it_was_measured_and_between_elsewhere(visit: Visit) -> None:
    page = visit()
    points = page.request.get(f"{page.url.split('#')[0]}v1/model").json()["calibration"]["points"]

    def costs(threshold: float) -> dict[str, Any]:
        found: dict[str, Any] = page.evaluate(_COSTS, [points, threshold])
        return found

    for point in points:
        at = costs(point["threshold"])
        assert at["fmr"] == pytest.approx(point["fmr"], rel=1e-6)
        assert at["fnmr"] == pytest.approx(point["fnmr"], rel=1e-6)
        assert at["beyond"] is None
    ordered = sorted(points, key=lambda point: point["threshold"])
    for left, right in itertools.pairwise(ordered):
        between = costs((left["threshold"] + right["threshold"]) / 2)
        assert right["fmr"] < between["fmr"] < left["fmr"]
        assert left["fnmr"] < between["fnmr"] < right["fnmr"]
    assert costs(0.01) == {"fmr": ordered[0]["fmr"], "fnmr": ordered[0]["fnmr"], "beyond": "loose"}
    assert costs(1.0)["beyond"] == "strict"


def _place_of_mark(page: Any) -> tuple[float, float]:
    x, y = (float(page.locator(".det-mark").get_attribute(name)) for name in ("cx", "cy"))
    return x, y
