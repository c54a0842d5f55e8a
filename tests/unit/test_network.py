"""One network on all cores, or on each core by itself when several requests are at work."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openvino as ov
import pytest

from model.artifact import Artifact
from model.runtimes.compiled import CompiledNetworks
from model.runtimes.network import Network, cores
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.types import Array
from tests.compiling import LIMIT_S, compiling, until_nothing_compiles
from tests.faces import Faces
from tests.integration.real_chips import augmented_chips


@pytest.fixture(autouse=True)
def _no_other_test_compiles() -> None:
    """A network is used from the moment it is there, and its thread ends a little later."""
    until_nothing_compiles()


class Traffic:
    """Says that several requests are at work when told so."""

    several = False

    def __call__(self) -> bool:
        return self.several


def tripling(core: ov.Core) -> ov.Model:
    given = ov.opset13.parameter([1, 3], np.float32, name="given")
    return ov.Model([ov.opset13.multiply(given, np.float32(3))], [given], "tripling")


def answer(network: Network, value: float) -> Array:
    with network.request() as request:
        request.infer({0: np.full((1, 3), value, np.float32)})
        return np.array(request.get_output_tensor(0).data)


def streams(network: Network) -> int:
    with network.request() as request:
        return int(request.get_compiled_model().get_property("NUM_STREAMS"))


def until(wanted: int, network: Network) -> None:
    ends = time.monotonic() + LIMIT_S
    while streams(network) != wanted:
        assert time.monotonic() < ends
        time.sleep(0.01)


@pytest.mark.skipif(cores() < 2, reason="one core has nothing to share")
def test_the_form_for_several_is_made_when_they_come_and_left_when_they_go() -> None:
    traffic = Traffic()
    network = Network(CompiledNetworks(), ("x",), tripling, several=traffic)
    assert streams(network) == 1
    assert not compiling()
    traffic.several = True
    # The first of them do not wait for it.
    assert answer(network, 1).tolist() == [[3, 3, 3]]
    until(min(cores(), 8), network)
    assert answer(network, 2).tolist() == [[6, 6, 6]]
    traffic.several = False
    assert streams(network) == 1


def test_who_chose_the_number_of_threads_keeps_it() -> None:
    traffic = Traffic()
    network = Network(CompiledNetworks(), ("x",), tripling, threads=1, several=traffic)
    traffic.several = True
    for _ in range(3):
        assert streams(network) == 1
    assert not compiling()


def test_threads_that_share_a_network_get_answers_of_their_own() -> None:
    traffic = Traffic()
    network = Network(CompiledNetworks(), ("x",), tripling, several=traffic)
    traffic.several = True
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda value: answer(network, value).max(), range(400)))
    assert found == [3 * value for value in range(400)]


def test_both_forms_of_a_model_give_the_same_embeddings(
    sface_artifact: Artifact, faces: Faces
) -> None:
    traffic = Traffic()
    runtime = OpenVinoRuntime(sface_artifact, several=traffic)
    chips = augmented_chips(faces, sface_artifact, 4)
    alone = runtime.embed(chips)
    traffic.several = True
    runtime.embed(chips)
    until_nothing_compiles()
    assert np.abs(runtime.embed(chips) - alone).max() < 1e-6


def test_threads_share_requests_of_which_there_are_as_many_as_were_wanted_at_once() -> None:
    network = Network(CompiledNetworks(), ("tripling",), tripling)

    def taken() -> ov.InferRequest:
        with network.request() as request:
            return request

    seen = []
    for _ in range(4):
        with ThreadPoolExecutor(1) as other:
            seen.append(other.submit(taken).result())
    assert all(request is seen[0] for request in seen)
    with network.request() as one, network.request() as two:
        assert one is seen[0]
        assert two is not one
    with pytest.raises(ZeroDivisionError), network.request():
        _ = 1 / 0
    with network.request() as one, network.request() as other_one:
        assert {id(one), id(other_one)} == {id(seen[0]), id(two)}
