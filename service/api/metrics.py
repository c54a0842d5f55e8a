"""GET /metrics: what Prometheus reads.

All is read from the store at the moment it is asked for, so nothing is counted twice
where several services share one store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from service.api.access import Administering
from service.api.documented import problems
from service.api.state import Running

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

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
def metrics(running: Administering) -> Response:
    """Numbers for Prometheus, in its text form; of all collections.

    `semblance_references{model="current|next|other"}` counts the references by the model
    that embedded them; `semblance_model_info{role,name,version,fingerprint}` names the
    models that are loaded.
    """
    # A tenth of a second to import, which a start need not wait for.
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class Now(Collector):
        def collect(self) -> Iterator[GaugeMetricFamily]:
            return _families(running)

    # Of our own: the default one tells of the process and of Python, too.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Now())
    return Response(generate_latest(registry), media_type=_TEXT)


def _families(running: Running) -> Iterator[GaugeMetricFamily]:
    from prometheus_client.core import GaugeMetricFamily

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
    if running.census is None:
        return
    counts = Counter(dict.fromkeys((*roles.values(), "other"), 0))
    for fingerprint, count in running.census.counts().items():
        counts[roles.get(fingerprint, "other")] += count
    references = GaugeMetricFamily(
        "semblance_references",
        "References by the model that embedded them.",
        labels=("model",),
    )
    for role, count in counts.items():
        references.add_metric((role,), count)
    yield references
