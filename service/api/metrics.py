"""GET /metrics: what Prometheus reads.

What is stored is counted in the store, so it is the same whichever of several services is
asked; all else is of this process. Nothing in it names a person, a key or a collection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, get_args

from fastapi import APIRouter, Response

from model.errors import SemblanceError
from model.quality import Reason
from service.api.access import Watching
from service.api.admission import Refusal
from service.api.documented import problems
from service.api.problems import codes
from service.api.state import Running
from service.core import meters
from service.core.enrol import REJECTIONS
from service.core.liveness.ending import SENTENCES
from service.version import VERSION

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

router = APIRouter(tags=["system"])

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems("not_ready"),
    },
)
def metrics(running: Watching) -> Response:
    """Numbers for Prometheus, in its text form; of all collections.

    Every one is explained in the docs (monitoring). The gallery is counted anew every two
    seconds at most.
    """
    # A tenth of a second to import, which a start need not wait for.
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
    from prometheus_client.registry import Collector

    class Now(Collector):
        def collect(self) -> Iterator[Metric]:
            return _families(running)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Now())
    # Memory, CPU time, open files and the start of the process, as everybody names them.
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=_TEXT)


def begin(counted: meters.Meters) -> None:
    """Shows all counts whose labels are known, at 0."""
    for counter, values in (
        (counted.problems, codes()),
        (counted.images, (*REJECTIONS.values(), "accepted", "duplicate", "identity_conflict")),
        (counted.objections, Reason),
        (counted.liveness, ("passed", *SENTENCES, "caller_left")),
        (counted.store_errors, ("full", "busy", "unusable")),
    ):
        for value in values:
            counter.start(str(value))


def _families(running: Running) -> Iterator[Metric]:
    yield from _counted(running.core.meters)
    yield from _at_the_door(running)
    yield from _stored(running)


def _counted(found: meters.Meters) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    for counter in found.counters:
        family = CounterMetricFamily(counter.name, counter.about, labels=counter.labels)
        for values, count in sorted(counter.read().items()):
            family.add_metric(values, count)
        yield family
    for histogram in found.histograms:
        bounds = [*(f"{bound:g}" for bound in histogram.bounds), "+Inf"]
        shown = HistogramMetricFamily(histogram.name, histogram.about, labels=histogram.labels)
        for values, (counts, total) in sorted(histogram.read().items()):
            # Prometheus counts what is not above a bound, also below the one before.
            shown.add_metric(values, list(zip(bounds, accumulate(counts), strict=True)), total)
        yield shown


def _at_the_door(running: Running) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily

    door, galleries = running.admission, running.core.galleries
    yield _gauge("semblance_requests_in_work", "Image requests in work.", door.in_work)
    yield _gauge("semblance_requests_waiting", "Image requests that wait.", door.waiting)
    yield _gauge("semblance_requests_in_flight", "Of those and of bodies.", door.in_flight)
    yield _gauge("semblance_requests_limit", "Of those in flight.", door.limit)
    yield _gauge("semblance_workers", "Image requests in work at once.", door.workers)
    yield _gauge("semblance_streams", "Streams of frames that are open.", door.streams)
    refused = CounterMetricFamily(
        "semblance_refused", "Refused for want of room or time.", labels=("why",)
    )
    for why in get_args(Refusal):
        refused.add_metric((why,), door.refused[why])
    yield refused
    yield _gauge(
        "semblance_gallery_cache_bytes", "Embeddings held in memory.", galleries.size_bytes
    )
    asked = CounterMetricFamily(
        "semblance_gallery_cache", "Galleries asked for in memory.", labels=("outcome",)
    )
    asked.add_metric(("hit",), galleries.hits)
    asked.add_metric(("miss",), galleries.misses)
    yield asked


def _stored(running: Running) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    yield _gauge("semblance_info", "1, with the version.", 1, version=VERSION)
    roles = {
        one.fingerprint: role
        for one, role in zip(running.core.each(), ("current", "next"), strict=False)
    }
    info = GaugeMetricFamily(
        "semblance_model_info",
        "1 for each model that is loaded.",
        labels=("role", "name", "version", "fingerprint"),
    )
    for one in running.core.each():
        manifest = one.model.manifest
        facts = (roles[one.fingerprint], manifest.name, manifest.version, one.fingerprint)
        info.add_metric(facts, 1)
    yield info
    if running.audit is not None:
        yield from _audit(running)
    is_up = 0
    # When the store is away, all else is wanted the more.
    with suppress(SemblanceError):
        running.core.store.check()
        is_up = 1
        if running.gallery_size is not None:
            size = running.gallery_size.read()
            yield _gauge("semblance_identities", "Identities enrolled.", size.identities)
            yield _references(roles, size.references.items())
    yield _gauge("semblance_store_up", "Whether the store can be read.", is_up)


def _references(roles: dict[str, str], found: Iterable[tuple[str, int]]) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    counts = Counter(dict.fromkeys((*roles.values(), "other"), 0))
    for fingerprint, count in found:
        counts[roles.get(fingerprint, "other")] += count
    references = GaugeMetricFamily(
        "semblance_references", "References by the model that embedded them.", labels=("model",)
    )
    for role, count in counts.items():
        references.add_metric((role,), count)
    return references


def _audit(running: Running) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily

    assert running.audit is not None
    state = running.audit.state()
    yield _gauge(
        "semblance_audit_up", "Whether the log could be written last.", not state.is_failing
    )
    yield _gauge("semblance_audit_waiting", "Entries not on the disk yet.", state.waiting)
    for name, about, count in (
        ("semblance_audit_entries", "Entries written.", state.written),
        ("semblance_audit_failures", "Attempts to write that failed.", state.failed),
    ):
        family = CounterMetricFamily(name, about)
        family.add_metric((), count)
        yield family


def _gauge(name: str, about: str, value: float, **labels: str) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, about, labels=tuple(labels))
    family.add_metric(tuple(labels.values()), value)
    return family
