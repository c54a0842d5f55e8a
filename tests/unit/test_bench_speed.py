"""The bench of speed where it can be judged without a service: figures, rows, bytes, processes."""

from __future__ import annotations

import email
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import options
from bench.speed.asked import Row, at_least, at_most, limit, one_client, rows
from bench.speed.http_bytes import Connection, post_form
from bench.speed.page import Setting, asked_table, page, table
from bench.speed.plan import FAST, OPENCV_TWICE, PEERS, PROFILES, SMALL, USUAL, cells
from bench.speed.process import Worker, WorkerFailed
from bench.speed.results import Memory, Results, Start
from bench.speed.samples import Cell, Sample, quantile, stage_medians, summary
from bench.speed.subjects import joined
from tests.running import ROOT

SETTING = Setting("make x", "a machine", "2026-01-02", "Python 3", rounds=1, cell_s=0.5, load=0.1)


def sample(ms: float = 10.0, rate: float = 100.0) -> Sample:
    return Sample((ms,), rate, cpu_ms=5.0, client_cpu_ms=0.1, stages={"decode": 1.0})


def whole_run() -> Results:
    """As if every cell had taken the same."""
    return Results(
        samples={cell: [sample()] for cell in cells()},
        starts={profile.name: [Start(1.0, 200.0)] for profile in PROFILES},
        memory=Memory("accurate", {0: 250.0, 1000: 251.0, 20_000: 253.0}),
    )


def found(results: Results, words: str) -> Row:
    (row,) = [row for row in rows(results) if words in row.what]
    return row


def test_quantiles_are_values_that_occurred() -> None:
    hundred = [float(n) for n in range(100, 0, -1)]
    assert [quantile(hundred, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert quantile([7.0], 0.99) == 7
    # Of few, p99 is the worst: nothing is interpolated away.
    assert quantile([1.0, 2.0, 30.0], 0.99) == 30


def test_medians_are_over_rounds_so_one_bad_round_does_not_count() -> None:
    usual = [Sample((1.0, 2.0, 9.0), 50.0, 4.0, 0.1, {"embed": 1.0})] * 2
    disturbed = Sample((500.0,) * 100, 1.0, 90.0, 7.0, {"embed": 400.0})
    one = summary([usual[0], disturbed, usual[1]])
    assert (one.p50, one.p95, one.p99, one.requests_per_s) == (2, 9, 9, 50)
    assert (one.cpu_ms, one.client_cpu_ms, one.stages) == (4, 0.1, {"embed": 1.0})


def test_stages_are_medians_where_known() -> None:
    assert stage_medians([{}, {"a": 1.0, "b": 9.0}, {"a": 3.0}]) == {"a": 2, "b": 9}
    assert stage_medians([{}, {}]) == {}
    assert stage_medians([]) == {}


def test_rates_of_workers_at_once_add_up() -> None:
    answers = [
        {"ms": [10.0, 10.0], "wall_s": 0.02, "cpu_s": 0.016, "stages": [{}, {}]},
        {"ms": [20.0], "wall_s": 0.02, "cpu_s": 0.020, "stages": [{}]},
    ]
    one = joined(answers)
    assert one.requests_per_s == pytest.approx(100 + 50)
    assert one.cpu_ms == pytest.approx(12)
    assert one.ms == (10, 10, 20)


@pytest.mark.parametrize(
    ("row", "met", "shown"),
    [
        (at_least("", 160.0, 100.0, 1.6), True, "1.60 (160.0 / 100.0 a second)"),
        (at_least("", 159.0, 100.0, 1.6), False, "1.59 (159.0 / 100.0 a second)"),
        (at_least("", None, 100.0, 1.6), None, "not measured"),
        (at_most("", 20.0, 10.0, 2), True, "2.00 (20.0 / 10.0 ms)"),
        (at_most("", 20.1, 10.0, 2), False, "2.01 (20.1 / 10.0 ms)"),
        (at_most("", 20.0, None, 2), None, "not measured"),
        (one_client("", 14.0, 10.0), True, "14.0 ms; 14.0 ms allowed (1.25 x 10.0 + 1.5)"),
        (one_client("", 14.1, 10.0), False, "14.1 ms; 14.0 ms allowed (1.25 x 10.0 + 1.5)"),
        (limit("", 1.5, 1.5, "s"), True, "1.50 s"),
        (limit("", 301.0, 300, "MB"), False, "301 MB"),
        (limit("", None, 10, "ms"), None, "not measured"),
    ],
)
def test_a_demand_is_met_up_to_its_bound(row: Row, met: bool | None, shown: str) -> None:
    assert (row.met, row.found) == (met, shown)


def test_every_demand_is_measured_by_the_plan() -> None:
    demands = rows(whole_run())
    assert [row.what for row in demands if row.met is None] == []
    # 2 x 2 against OpenCV, 11 of each profile, memory after many requests.
    assert len(demands) == 4 + 2 * 11 + 1
    assert len({row.what for row in demands}) == len(demands)


def test_only_a_whole_run_writes_the_page_unasked() -> None:
    assert options([]).out == ROOT / "bench" / "RESULTS.md"
    assert options(["--quick"]).out is None
    assert options(["--only", "fast"]).out is None
    assert options(["--quick", "--out", "x.md"]).out == Path("x.md")
    whole, quick = options([]), options(["--quick"])
    assert whole.memory_requests == 20_000
    assert quick.rounds * quick.seconds < whole.rounds * whole.seconds / 4
    assert options(["--quick", "--rounds", "7", "--memory-requests", "0"]).rounds == 7
    assert options(["--memory-requests", "0"]).memory_requests == 0


def test_nothing_is_measured_twice_in_a_round() -> None:
    assert len(set(cells())) == len(cells())


def test_rows_take_the_cells_that_they_name() -> None:
    results = whole_run()
    results.samples[Cell(FAST.service, SMALL, 8)] = [sample(rate=170)]
    results.samples[Cell(FAST.two_processes, USUAL)] = [sample(rate=125)]
    results.samples[Cell(FAST.service, USUAL, 32)] = [sample(rate=105)]
    results.samples[Cell(FAST.two_threads, USUAL)] = [sample(ms=6)]
    row = found(results, f"fast: 8 clients against OpenCV's 2 processes, {SMALL}")
    assert (row.asked, row.found) == ("at least 1.60", "1.70 (170.0 / 100.0 a second)")
    # The best of 8 and 32 clients against the best way in process.
    assert found(results, "fast: most requests").found == "0.84 (105.0 / 125.0 a second)"
    # The quicker of one and two threads.
    assert "1.25 x 6.0" in found(results, "fast: p50 of one client").found
    assert found(results, "fast: p50 of one client").met is False
    grown = found(results, "resident memory after 20,000 requests")
    assert (grown.met, grown.found[:6]) == (True, "+1.2 %")
    results.memory = Memory("accurate", {0: 100.0, 20_000: 102.5})
    assert found(results, "resident memory after").met is False


def test_what_was_not_measured_is_said() -> None:
    nothing = Results()
    assert {row.met for row in rows(nothing)} == {None}
    partly = whole_run()
    del partly.samples[Cell(OPENCV_TWICE, SMALL)]
    unknown = [row.what for row in rows(partly) if row.met is None]
    assert len(unknown) == 2
    assert all(SMALL in what for what in unknown)


def test_a_table_has_as_many_fields_in_every_line() -> None:
    lines = table(("a", "b"), [("1|2", "3")]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", "| 1\\|2 | 3 |"]
    shown = asked_table([Row("x", "y", "z", None), Row("x", "y", "z", False)])
    assert shown.splitlines()[2:] == ["| x | y | z | - |", "| x | y | z | **no** |"]


def test_the_page_names_machine_date_and_everybody() -> None:
    results = whole_run()
    text = page(results, SETTING)
    assert "Made by `make x` on 2026-01-02: a machine. Python 3." in text
    assert "not idle" not in text
    assert "Not measured" not in text
    for name in (*PEERS, *FAST.in_process, FAST.tensorflow):
        assert f"| {name} | 100.0 |" in text
    widths: set[tuple[int, ...]] = set()
    for block in text.split("\n\n"):
        if block.startswith("|"):
            counts = {line.count(" | ") for line in block.splitlines()}
            assert len(counts) == 1, block
            widths.add(tuple(counts))
    assert len(widths) >= 3


def test_the_page_says_who_failed_and_that_others_were_at_work() -> None:
    results = whole_run()
    for cell in cells():
        if cell.subject == PEERS[-1]:
            del results.samples[cell]
    results.failures[PEERS[-1]] = "ModuleNotFoundError: no such module"
    text = page(results, replace(SETTING, load=2.0))
    assert f"- {PEERS[-1]}: ModuleNotFoundError: no such module" in text
    assert f"| {PEERS[-1]} |" not in text
    assert "**The machine was not idle** (load 2.0" in text


def test_request_bytes_read_by_another_reader() -> None:
    picture = bytes(range(256)) * 3 + b"\r\n--\r\n"
    request = post_form("/v1/verify", "k", {"identity": "ada"}, [("image", picture)])
    head, _, body = request.partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /v1/verify HTTP/1.1"
    fields = dict(line.split(": ", 1) for line in headers)
    assert int(fields["Content-Length"]) == len(body)
    kind = f"Content-Type: {fields['Content-Type']}\r\n\r\n".encode()
    _, name, image = email.message_from_bytes(kind + body).walk()
    assert name.get_param("name", header="content-disposition") == "identity"
    assert name.get_payload() == "ada"
    assert image.get_param("name", header="content-disposition") == "image"
    assert image.get_payload(decode=True) == picture


def test_a_picture_with_the_boundary_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="boundary"):
        post_form("/", "k", {}, [("image", b"--semblance-bench-boundary--")])


@contextmanager
def saying(*chunks: bytes, connections: int = 1) -> Iterator[int]:
    """A server that says these chunks to whoever connects, then closes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(connections):
                connected, _ = server.accept()
                with connected:
                    for chunk in chunks:
                        connected.recv(100)
                        connected.sendall(chunk)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_answers_are_cut_from_the_stream() -> None:
    first = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello"
    second = b"HTTP/1.1 422 No\r\ncontent-length:0\r\n\r\n"
    with saying(first + second[:9], second[9:]) as port:
        connection = Connection(port)
        answer = connection.ask(b"a")
        assert (answer.status, answer.body) == (200, b"hello")
        answer = connection.ask(b"b")
        assert (answer.status, answer.body) == (422, b"")
        connection.close()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel"])
def test_an_answer_that_does_not_come_whole_is_an_error(said: bytes) -> None:
    with saying(said) as port:
        connection = Connection(port)
        with pytest.raises(OSError, match="closed the connection"):
            connection.ask(b"a")
        connection.close()


def test_a_kept_connection_that_was_closed_is_opened_again() -> None:
    with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", connections=3) as port:
        connection = Connection(port)
        assert [connection.ask(b"a").body for _ in range(3)] == [b"hi"] * 3
        connection.close()


TALKATIVE = """
import os, time
from bench.speed.worker import Channel
channel = Channel()
print("a library says hello")
os.system("echo so does a child")
def verify(picture):
    if picture == b"bad":
        raise RuntimeError("the probe was not verified")
    time.sleep(0.01)
    return {"sleep": 10.0}
channel.serve_verify(verify, thing="1.2")
"""


def test_a_worker_measures_for_the_time_asked(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("worker")
    (folder / "good").write_bytes(b"good")
    (folder / "bad").write_bytes(b"bad")
    worker = Worker([sys.executable, "-c", TALKATIVE])
    try:
        assert worker.versions == {"thing": "1.2"}
        assert worker.ready_s > 0
        assert worker.resident_mb > 1
        command = {"picture": str(folder / "good"), "seconds": 0.2, "loops": 2}
        answer = worker.ask(command)
        assert 4 <= len(answer["ms"]) <= 2 * 21
        assert min(answer["ms"]) >= 9.9
        assert answer["wall_s"] >= 0.2
        assert answer["stages"][0] == {"sleep": 10}
        # However long one takes, there are two of each thread.
        assert len(worker.ask({**command, "seconds": 0.0})["ms"]) == 4
        with pytest.raises(WorkerFailed, match="the probe was not verified"):
            worker.ask({**command, "picture": str(folder / "bad")})
    finally:
        worker.close()


def test_a_worker_that_cannot_start_says_why() -> None:
    with pytest.raises(WorkerFailed, match="No module named 'no_such_peer'"):
        Worker([sys.executable, "-c", "import no_such_peer"])
