"""ROC, DET, score histogram and reliability diagram, as PNG files or inline SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from model.contract import VerdictPoint
from training.evaluation.curves import BINS, Curve, EqualError, Histogram
from training.evaluation.rates import Rates
from training.evaluation.reliability import Reliability
from training.evaluation.verdict_attempts import RULES

# In an SVG this ink becomes the text colour of the page, light or dark.
INK = "#333333"
GENUINE, IMPOSTOR, CURVE, MARK = "#2a9d8f", "#d1603d", "#4a7fc1", "#b8860b"
_SIZE = (6.4, 4.4)


def plot_roc(curve: Curve, at: Sequence[Rates], impostor_pairs: int) -> Figure:
    """TAR over FMR, the FMR on a logarithmic scale down to one false match."""
    figure, axes = _axes("ROC", "false match rate (FMR)", "true accept rate (1 - FNMR)")
    least = 1 / max(2, impostor_pairs)
    tar = 1 - np.array(curve.fnmr)
    axes.plot(np.maximum(curve.fmr, least / 2), tar, color=CURVE, linewidth=2)
    _marks(axes, [(max(one.fmr, least / 2), one.recall, one.threshold) for one in at])
    axes.set_xscale("log")
    axes.set_xlim(least / 2, 1)
    shown = tar[np.array(curve.fmr) >= least]
    axes.set_ylim(max(0.0, float(shown.min(initial=0.9)) - 0.02), 1.005)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(loc="lower right", frameon=False, labelcolor=INK)
    return figure


def plot_det(
    curve: Curve, at: Sequence[Rates], equal: EqualError, pairs: tuple[int, int]
) -> Figure:
    """FNMR over FMR, both on logarithmic scales.

    Args:
        pairs: Genuine and impostor pairs: a rate below one error is not drawn.
    """
    figure, axes = _axes("DET", "false match rate (FMR)", "false non-match rate (FNMR)")
    genuine, impostor = pairs
    fmr, fnmr = np.array(curve.fmr), np.array(curve.fnmr)
    seen = (fmr > 0) & (fnmr > 0)
    axes.plot(fmr[seen], fnmr[seen], color=CURVE, linewidth=2)
    low = max(1e-7, 0.5 * min(1 / impostor, 1 / genuine))
    axes.plot([low, 1], [low, 1], color=INK, linewidth=0.8, linestyle=":", alpha=0.6)
    if equal.rate > 0:
        axes.plot(
            equal.rate, equal.rate, "s", color=MARK, label=f"equal error rate {equal.rate:.2%}"
        )
    _marks(axes, [(one.fmr, one.fnmr, one.threshold) for one in at if one.fmr and one.fnmr])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.5 / impostor, 1)
    lowest = fnmr[seen & (fmr < 0.5)].min(initial=0.5)
    axes.set_ylim(max(0.5 / genuine, lowest / 2), 1)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower left", frameon=False, labelcolor=INK)
    return figure


def plot_histogram(histogram: Histogram, thresholds: Sequence[float]) -> Figure:
    """Where the scores of genuine and of impostor pairs lie, on a logarithmic scale."""
    figure, axes = _axes("Scores", "score", "share of the pairs of a kind")
    edges = np.linspace(0, 1, BINS + 1)
    for shares, colour, label in (
        (histogram.impostor, IMPOSTOR, "impostor pairs"),
        (histogram.genuine, GENUINE, "genuine pairs"),
    ):
        axes.stairs(shares, edges, color=colour, fill=True, alpha=0.35)
        axes.stairs(shares, edges, color=colour, linewidth=1.4, label=label)
    for threshold in thresholds:
        axes.axvline(threshold, color=MARK, linewidth=1.2, linestyle="--")
    axes.set_yscale("log")
    heights = [share for share in (*histogram.genuine, *histogram.impostor) if share > 0]
    axes.set_ylim(min(heights) / 2, 1.5)
    axes.set_xlim(0, 1)
    # On the line of the title: within, it would hide one of the two ends.
    axes.legend(
        loc="lower right", bbox_to_anchor=(1, 0.985), ncols=2, frameon=False, labelcolor=INK
    )
    return figure


def plot_reliability(of: Mapping[str, Reliability]) -> Figure:
    """Share of genuine pairs over the score; a probability lies on the diagonal.

    Args:
        of: By what to call it; one, or before and after.
    """
    figure, axes = _axes("Reliability", "score", "share of genuine pairs")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":", alpha=0.7)
    colours = (IMPOSTOR, GENUINE) if len(of) > 1 else (CURVE,)
    for (name, reliability), colour in zip(of.items(), colours, strict=True):
        bins = reliability.bins
        label = f"{name}: Brier {reliability.brier:.4f}, ECE {reliability.ece:.4f}"
        x, y = [one.score for one in bins], [one.genuine_share for one in bins]
        axes.plot(x, y, color=colour, linewidth=1.6, label=label)
        sizes = [12 + 160 * one.weight for one in bins]
        axes.scatter(x, y, s=sizes, color=colour, alpha=0.8, linewidths=0)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.legend(loc="upper left", frameon=False, labelcolor=INK)
    return figure


def plot_fusion(points: Sequence[VerdictPoint], rate: float) -> Figure:
    """FNMR of each rule over the number of references, all at one FMR."""
    figure, axes = _axes(f"Whole verdicts at FMR {rate:.0e}", "references of an identity", "FNMR")
    counts = sorted({point.references for point in points})
    colours = (IMPOSTOR, MARK, CURVE, GENUINE)
    for rule, colour, marker in zip(RULES, colours, "oDs^", strict=True):
        rows = sorted((p for p in points if p.fusion == rule), key=lambda p: p.references)
        places = [counts.index(row.references) for row in rows]
        rates = [row.fnmr for row in rows]
        axes.plot(places, rates, color=colour, marker=marker, linewidth=1.8, label=rule)
    axes.set_xticks(range(len(counts)), [str(k) for k in counts])
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(loc="upper right", frameon=False, labelcolor=INK)
    return figure


def save_png(figure: Figure, path: Path) -> None:
    """Writes it on white."""
    figure.savefig(path, format="png", dpi=130, facecolor="white")


def svg_of(figure: Figure, label: str) -> str:
    """The figure as an SVG element that takes the text colour of the page around it.

    Args:
        label: For those who hear the page.
    """
    # Outlines of letters, so that no font is needed; a fixed salt, so that one
    # evaluation makes one page.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": label}):
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    svg = text[text.index("<svg") :].replace(INK, "currentColor")
    # Fixed lengths in points would not fit a phone.
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Several figures stand on one page, and names must be of one.
    prefix = re.sub(r"\W+", "", label)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'href="#', f'href="#{prefix}-', svg)
    svg = svg.replace("url(#", f"url(#{prefix}-")
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def _marks(axes: Axes, places: Sequence[tuple[float, float, float]]) -> None:
    for (x, y, threshold), marker in zip(places, "oD", strict=False):
        label = f"threshold {threshold:.4g}"
        axes.plot(x, y, marker, color=IMPOSTOR, markersize=7, label=label, clip_on=False)


def _axes(title: str, across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=12, color=INK, loc="left", fontweight="bold")
    axes.set_xlabel(across, color=INK)
    axes.set_ylabel(up, color=INK)
    axes.tick_params(colors=INK, which="both")
    for name, spine in axes.spines.items():
        spine.set_color(INK)
        spine.set_visible(name in ("left", "bottom"))
    axes.grid(color=INK, alpha=0.15, linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes
