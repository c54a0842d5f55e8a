"""How a step is shared out: one device, all devices of a machine, several machines."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from training.data.errors import DataError
from training.fitting.settings import StrategyName

_EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


def make_strategy(name: StrategyName) -> tf.distribute.Strategy:
    """The strategy of that name; a cluster is told by TF_CONFIG.

    Raises:
        DataError: If several workers are asked for and TF_CONFIG names none.
    """
    if name is StrategyName.MIRRORED:
        return tf.distribute.MirroredStrategy()
    if name is StrategyName.MULTI_WORKER:
        _check_cluster(os.environ.get("TF_CONFIG", ""))
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run's files."""
    resolver = strategy.cluster_resolver
    if resolver is None or resolver.task_type is None:
        return True
    return resolver.task_type == "chief" or (
        resolver.task_type == "worker"
        and resolver.task_id == 0
        and "chief" not in resolver.cluster_spec().jobs
    )


def _check_cluster(text: str) -> None:
    try:
        content = json.loads(text)
        workers, task = content["cluster"], content["task"]
        known = {kind: len(hosts) for kind, hosts in workers.items()}
        inside = 0 <= int(task["index"]) < known[task["type"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"expected the cluster in TF_CONFIG, such as {_EXAMPLE}, found '{text}'"
        ) from error
    if not inside:
        raise DataError(f"expected this task in TF_CONFIG's cluster, found '{text}'")
