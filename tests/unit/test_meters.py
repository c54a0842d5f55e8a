"""Counters and histograms, against the client library that everybody uses."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Histogram as TheirHistogram
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from service.api.metrics import _counted, begin
from service.core.census import GallerySize
from service.core.meters import MOST_SERIES, OTHER, SCORE, Counter, Histogram, Meters
from service.core.stopwatch import Run, Stopwatch

# Bounds themselves come up, too: a value on one counts as not above it.
VALUE = st.one_of(st.sampled_from(SCORE), st.floats(0, 2, allow_nan=False))


def shown(meters: Meters) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    class Now(Collector):
        def collect(self):  # type: ignore[no-untyped-def]
            return _counted(meters)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Now())
    return values_of(generate_latest(registry).decode())


def values_of(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@settings(deadline=None, max_examples=50)
@given(st.lists(VALUE, max_size=30))
def test_a_histogram_shows_what_the_client_library_would(values: list[float]) -> None:
    meters = Meters()
    registry = CollectorRegistry()
    theirs = TheirHistogram(
        "semblance_verification_score", "", ("model", "verdict"), registry=registry, buckets=SCORE
    )
    for value in values:
        meters.score.observe(value, "m", "accepted")
        theirs.labels("m", "accepted").observe(value)
    ours = {
        key: value
        for key, value in shown(meters).items()
        if key[0].startswith("semblance_verification_score")
    }
    expected = {
        key: value
        for key, value in values_of(generate_latest(registry).decode()).items()
        if not key[0].endswith("_created")
    }
    assert ours == pytest.approx(expected)


def test_a_label_that_takes_many_values_ends_as_other() -> None:
    counter = Counter("c", "", "label")
    for number in range(2 * MOST_SERIES):
        counter.add(f"value {number}")
    found = counter.read()
    assert len(found) == MOST_SERIES + 1
    assert found[OTHER,] == MOST_SERIES
    # Those that were there before are counted as before.
    counter.add("value 0")
    assert counter.read()["value 0",] == 2


def test_nothing_is_lost_among_threads() -> None:
    counter, histogram = Counter("c", "", "label"), Histogram("h", "", (1.0,), "label")

    def count() -> None:
        for _ in range(5000):
            counter.add("a")
            histogram.observe(0.5, "a")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read() == {("a",): 20_000}
    assert histogram.read() == {("a",): ([20_000, 0], 10_000.0)}


def test_counts_that_are_known_begin_at_nought() -> None:
    meters = Meters()
    begin(meters)
    found = shown(meters)
    assert found["semblance_problems_total", (("code", "damaged_data"),)] == 0
    assert found["semblance_quality_objections_total", (("reason", "blurred"),)] == 0
    meters.problems.add("damaged_data")
    assert shown(meters)["semblance_problems_total", (("code", "damaged_data"),)] == 1


def test_a_stage_counts_once_a_picture_also_when_it_fails() -> None:
    meters = Meters()
    told: list[list[Run]] = []
    watch = Stopwatch(meters.stages, lambda runs: told.append(list(runs)))

    def look() -> None:
        with watch:
            for name in ("decode", "detect", "decode"):
                with watch.stage(name):
                    pass
            raise ValueError("no face")

    with pytest.raises(ValueError, match="no face"):
        look()
    ((counts, total),) = [found for key, found in meters.stage_s.read().items() if "decode" in key]
    assert sum(counts) == 1
    (runs,) = told
    assert [name for name, *_ in runs] == ["decode", "detect", "decode"]
    spent = sum(ended - begun for name, begun, ended in runs if name == "decode")
    assert total == pytest.approx(spent)
    assert watch.read_ms()["decode"] == pytest.approx(1000 * spent, abs=0.001)


class SlowCensus:
    """Takes a second of a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0

    def counts(self) -> dict[str, int]:
        self.now += 1.0
        self.asked += 1
        return {"m": self.asked}

    def identities(self) -> int:
        return 7


def test_counting_a_large_gallery_takes_a_hundredth_of_the_time_at_most() -> None:
    census = SlowCensus()
    size = GallerySize(census, clock=lambda: census.now)
    assert size.read().references == {"m": 1}
    census.now += 99.9
    assert size.read().references == {"m": 1}
    census.now += 0.2
    assert size.read().references == {"m": 2}
    assert size.read().identities == 7
