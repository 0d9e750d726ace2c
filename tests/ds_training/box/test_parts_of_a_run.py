"""The smaller parts of a run: processes, journal, GPU, logs, and what comes back."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from ds_training.box.deliver import copy_end, gather, last_line
from ds_training.box.gpu import Gauge
from ds_training.box.journal import Journal
from ds_training.box.processes import Process


def wait(process: Process) -> int | None:
    process._process.wait()
    return process.result


def test_a_process_leaves_what_it_printed_and_its_status(tmp_path: Path) -> None:
    process = Process(["sh", "-c", "echo out; echo $TOLD >&2; exit 7"], tmp_path / "logs" / "x.txt", environment={"TOLD": "größe"})
    assert wait(process) == 7
    assert process.tail() == "out\ngröße"


def test_the_tail_of_long_output_is_its_end_even_within_a_letter(tmp_path: Path) -> None:
    process = Process([sys.executable, "-c", "print('ö' * 5000 + 'end')"], tmp_path / "x.txt")
    wait(process)
    assert process.tail().endswith("öend")
    assert len(process.tail()) < 2100


def test_a_process_ends_with_all_its_children(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alive")
    process = Process(["sh", "-c", 'exec 3>"$0"; sleep 60 & wait', str(tmp_path / "alive")], tmp_path / "x.txt")
    with (tmp_path / "alive").open("rb") as held:  # by the shell and its child, and at its end when both are gone
        process.end()
        assert held.read() == b""
    assert process.result == -9
    process.end()  # once more harms nothing


def test_a_process_can_be_less_important_than_others(tmp_path: Path) -> None:
    process = Process(["sh", "-c", "sleep 0.3; nice"], tmp_path / "x.txt", niceness=15)
    wait(process)
    assert process.tail() == "15"


def test_a_command_that_is_not_there_is_an_error_of_the_machine(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        Process(["nowhere"], tmp_path / "x.txt")


def test_events_are_lines_of_json_with_their_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.04, 12.345])
    journal = Journal(tmp_path / "new" / "box.jsonl", lambda: next(times))
    journal.note("began", cores=16)
    journal.note("größer\n", path=None)
    lines = (tmp_path / "new" / "box.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"seconds": 0.0, "event": "began", "cores": 16},
        {"seconds": 12.3, "event": "größer\n", "path": None},
    ]
    assert capsys.readouterr().out.splitlines() == lines


def test_a_gpu_is_told_by_the_means_of_its_answers() -> None:
    answers = iter(["90, 1000, 400.5\n5, 6, 7\n", "", "[N/A], 1000, 300", "70, 3000, 299.5\n", "1, 2"])
    gauge = Gauge(lambda: next(answers))
    for _ in range(5):
        gauge.sample()
    assert gauge.means() == {"utilization.gpu": 80.0, "memory.used": 2000.0, "power.draw": 350.0}


def test_without_a_gpu_nothing_is_told() -> None:
    gauge = Gauge(lambda: "")
    gauge.sample()
    assert gauge.means() == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", {}), ("junk\n", {}), ('{"cer": 0.5}\n{"skipped": 3}\n', {"cer": 0.5}), ('{"cer": 0.5}\n{"cer": 0.4, "wer', {"cer": 0.5})],
)
def test_the_newest_whole_evaluation_of_a_log_is_found(tmp_path: Path, text: str, expected: dict[str, float]) -> None:
    assert last_line(tmp_path / "log.jsonl") == {}
    (tmp_path / "log.jsonl").write_text(text)
    assert last_line(tmp_path / "log.jsonl") == expected


def test_of_a_long_log_the_end_comes_back(tmp_path: Path) -> None:
    copy_end(tmp_path / "none", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "log").write_bytes(b"x" * 300_000 + b"end")
    copy_end(tmp_path / "log", tmp_path / "out")
    assert (tmp_path / "out").read_bytes().endswith(b"xend")
    assert (tmp_path / "out").stat().st_size == 200_000


def test_what_there_is_comes_back_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "result").mkdir()
    for name in ("facts.json", "box.jsonl", "unchecked-best.pt"):
        (tmp_path / "result" / name).write_text(name)
    assert gather(tmp_path / "result", tmp_path / "new" / "out") == ["box.jsonl", "facts.json"]
    assert gather(tmp_path / "nothing", tmp_path / "out") == []


def test_weights_that_are_too_large_to_come_back_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from ds_training.box.contents import BoxError
    from ds_training.box.deliver import write_best
    from ds_training.checkpoint import load_network, save_weights
    from ds_training.model import BlockSpec, Network, NetworkSpec

    save_weights(tmp_path / "big.pt", Network(NetworkSpec((BlockSpec(80, 1200, 5, 4, 1),), width=1100)))
    with pytest.raises(BoxError, match="at most 16777216 bytes to come back, got 2"):
        write_best(tmp_path / "big.pt", tmp_path / "best.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["big.pt"]
    save_weights(tmp_path / "small.pt", Network(NetworkSpec((BlockSpec(80, 8, 5, 4, 1),), width=4)))
    assert write_best(tmp_path / "small.pt", tmp_path / "best.pt") < 20_000
    assert load_network(tmp_path / "best.pt").spec.width == 4


def test_a_machine_is_probed_on_the_device_that_is_wanted() -> None:
    torch = pytest.importorskip("torch")
    from ds_training.box.contents import BoxError
    from ds_training.box.probe import step_seconds

    assert 0 < step_seconds(torch.device("cpu"), half=True) < 60
    if not torch.cuda.is_available():
        from ds_training.box.probe import probe

        with pytest.raises(BoxError, match=r"needs a GPU that PyTorch .* can use, got none"):
            probe("cuda")
