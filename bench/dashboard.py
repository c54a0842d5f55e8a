"""The dashboard, fed by a real run: `python -m bench.dashboard`.

    python -m bench.dashboard --seconds 210 --out docs/screenshots/dashboard.webp

A real service is asked for some minutes: verifications, enrolments, liveness sessions and
mistakes, with a busy spell, and one in which the pictures are dim. A real Prometheus (Debian's)
reads it every second, with the alerts of docker/prometheus. Then every panel of
docker/grafana/dashboard.json is drawn from what Prometheus answers to the panel's own
expressions.

It is drawn by matplotlib, not by Grafana: what it shows is that the expressions have answers,
and which; not how Grafana would look.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.dashboard_load import Load
from bench.service import Measured, measured_service
from tests.prometheus import Programs, programs

_DOCKER = Path(__file__).parents[1] / "docker"
_SCRAPE_S = 1
_RATE = "10s"
_START_S = 20
_MOST_LINES = 12
_UNITS = {
    "s": (1000, "ms"),
    "bytes": (2**-20, "MiB"),
    "percentunit": (100, "%"),
    "reqps": (1, "/s"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=240)
    parser.add_argument("--out", type=Path, default=Path("bench/output/dashboard.webp"))
    options = parser.parse_args()
    found = programs()
    if isinstance(found, str):
        raise SystemExit(f"error: {found}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Few places and batches, so that there is something to see of both.
        settings = {"max_in_flight": 10, "faces_at_once": 4, "pictures_at_once": 4}
        with (
            measured_service(
                folder / "data", throttle_after=0, lock_after=0, **settings
            ) as service,
            _prometheus(found, folder, service) as asked,
        ):
            begun = time.time()
            Load(service, options.seconds).run()
            dashboard = json.loads((_DOCKER / "grafana" / "dashboard.json").read_text())
            figure = _drawn(dashboard, asked, begun, time.time())
            firing = {alert["labels"]["alertname"] for alert in asked.alerts()}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, dpi=100)
    print(f"{options.out}; alerts at the end: {', '.join(sorted(firing)) or 'none'}")


@dataclass(frozen=True)
class _Asked:
    """A Prometheus that answers."""

    url: str

    def series(self, expression: str, begun: float, ended: float) -> list[dict[str, Any]]:
        text = expression.replace("$__rate_interval", _RATE).replace("$instance", ".*")
        span = {"start": begun, "end": ended, "step": _SCRAPE_S}
        answer = httpx.get(f"{self.url}/api/v1/query_range", params={"query": text, **span})
        content = answer.json()
        if content["status"] != "success":
            raise SystemExit(f"error: Prometheus does not take {text}: {content}")
        result: list[dict[str, Any]] = content["data"]["result"]
        return result

    def alerts(self) -> list[dict[str, Any]]:
        content: dict[str, Any] = httpx.get(f"{self.url}/api/v1/alerts").json()
        found: list[dict[str, Any]] = content["data"]["alerts"]
        return found


@contextmanager
def _prometheus(found: Programs, folder: Path, service: Measured) -> Iterator[_Asked]:
    port = 19_390
    # JSON is YAML.
    settings = {
        "global": {"scrape_interval": f"{_SCRAPE_S}s", "evaluation_interval": "5s"},
        "rule_files": [str(_DOCKER / "prometheus" / "alerts.yml")],
        "scrape_configs": [
            {
                "job_name": "semblance",
                "authorization": {"credentials": service.key},
                "static_configs": [{"targets": [service.url.removeprefix("http://")]}],
            }
        ],
    }
    path = folder / "prometheus.yml"
    path.write_text(json.dumps(settings))
    options = (f"--config.file={path}", f"--storage.tsdb.path={folder / 'series'}")
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [found.server, *options, f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log,
            stderr=log,
        )
    asked = _Asked(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + _START_S
        while not _is_ready(asked):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((folder / "prometheus.log").read_text()[-2000:])
            time.sleep(0.2)
        yield asked
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(asked: _Asked) -> bool:
    try:
        return httpx.get(f"{asked.url}/-/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _drawn(dashboard: dict[str, Any], asked: _Asked, begun: float, ended: float) -> Figure:
    panels = [panel for panel in dashboard["panels"] if panel["type"] == "timeseries"]
    rows = sorted({panel["gridPos"]["y"] for panel in panels})
    figure = Figure(figsize=(17, 2.9 * len(rows) + 0.9), layout="constrained")
    figure.suptitle(
        f"{dashboard['title']}: the panels of docker/grafana/dashboard.json, their expressions "
        "answered by Prometheus in a real run;\ndrawn by matplotlib (python -m bench.dashboard), "
        "not by Grafana. Across: seconds",
        fontsize=12,
    )
    grid = figure.add_gridspec(len(rows), 24)
    for panel in panels:
        place = panel["gridPos"]
        columns = slice(place["x"], place["x"] + place["w"])
        axes = figure.add_subplot(grid[rows.index(place["y"]), columns])
        _draw(axes, panel, asked, (begun, ended))
    return figure


def _draw(axes: Axes, panel: dict[str, Any], asked: _Asked, span: tuple[float, float]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    factor, unit = _UNITS.get(defaults["unit"], (1, ""))
    lines: list[tuple[str, list[float], list[float]]] = []
    for target in panel["targets"]:
        for one in asked.series(target["expr"], *span):
            points = [(at, float(value)) for at, value in one["values"] if value != "NaN"]
            name = _named(target["legendFormat"], one["metric"])
            moments = [at - span[0] for at, _ in points]
            lines.append((name, moments, [value * factor for _, value in points]))
    lines.sort(key=lambda line: -max(line[2], default=0.0))
    axes.set_title(f"{panel['title']}{f' ({unit})' if unit else ''}", fontsize=10, loc="left")
    for name, moments, values in lines[:_MOST_LINES]:
        axes.plot(moments, values, linewidth=1.1, label=name)
    if not lines:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="gray")
    axes.set_xlim(0, span[1] - span[0])
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    if lines:
        axes.legend(fontsize=7, loc="upper left", ncols=2, framealpha=0.6)


def _named(template: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), template)


if __name__ == "__main__":
    main()
