"""Lines of real runs: the kernel, a store and a folder of files in a child process, its standard error a pipe or a terminal."""

import json
import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

MARK = "Marker-5551234"
"""Part of every value of every record."""

RUNS = """
import json, os, sys
from mjcore.kernel import Kernel

fields = [{"Name": "Email", "Type": "email"}, {"Name": "Age", "Type": "number"}]
field_maps = [{"SourceFieldName": field["Name"].lower(), "DestinationFieldName": field["Name"]} for field in fields]
document = {
    "Companies": [{"Name": "Acme"}],
    "Entities": [{"Name": "Contacts", "Table": "contacts", "Fields": fields}],
    "Connections": [
        {
            "Name": f"Acme {name}",
            "Company": "Acme",
            "Provider": "Files",
            "Configuration": {"Folder": "data"},
            "EntityMaps": [{"ExternalObjectName": name, "Entity": "Contacts", "FieldMaps": field_maps}],
        }
        for name in ("good", "bad", "worse", "missing")
    ],
}
with Kernel("sqlite:///crm.db") as kernel:
    kernel.apply(document)
    for name, level in RUNS:
        if level is not None:
            os.environ["MJ_LOG"] = level
        result = kernel.sync(f"Acme {name}", full=True)
        texts = [result.error, *(error.message for m in result.maps for error in m.errors)]
        print(json.dumps([result.run_id, result.status, "structlog" in sys.modules, texts]))
        print("---", file=sys.stderr)
    assert kernel.stages.failures == [], kernel.stages.failures
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    rows = [f"{number},{MARK}-{number}@example.org,{number}" for number in range(1, 4)]
    (tmp_path / "data" / "good.csv").write_text("\n".join(["id,email,age", *rows]))
    (tmp_path / "data" / "bad.csv").write_text("\n".join(["id,email,age", *rows, f"4,{MARK}@example.org,{MARK}"]))
    many = [f"{number},{MARK}-{number}@example.org,{MARK}" for number in range(500)]
    (tmp_path / "data" / "worse.csv").write_text("\n".join(["id,email,age", *many]))
    return tmp_path


WRITE = "from mj_notify_log.lines import write\n"


def runs(*wanted: tuple[str, str | None]) -> str:
    """Return a program that syncs these files one after the other, each at this level."""
    return f"RUNS = {wanted!r}\n{RUNS}"


def environment(**more: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("MJ_LOG", "NO_COLOR", "PYTHONIOENCODING")}
    return kept | more


def piped(folder: Path, code: str, **more: str) -> tuple[str, str]:
    """Return what the program printed, and its standard error: a pipe."""
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode(), ended.stderr.decode()


def shown(folder: Path, code: str, **more: str) -> tuple[str, str]:
    """Return what the program printed, and its standard error: a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, cwd=folder, env=environment(**more), stdout=subprocess.PIPE, stderr=theirs) as child:
        os.close(theirs)
        screen = b""
        while chunk := read(ours):
            screen += chunk
        assert child.stdout is not None
        out = child.stdout.read()
    os.close(ours)
    assert child.returncode == 0, screen.decode()
    return out.decode(), screen.decode()


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other side is closed
        return b""


def events(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines() if line != "---"]


# --- what is written ---


def test_a_pipe_gets_one_json_object_per_event(folder: Path) -> None:
    out, err = piped(folder, runs(("bad", "debug")))
    run_id, status, *_ = json.loads(out)
    started, *batches, map_finished, run_finished = events(err)
    assert status == "Completed"
    names = {"run_id": run_id, "connection": "Acme bad", "object": "bad", "entity": "Contacts"}
    assert started.items() >= (names | {"event": "map started", "level": "info", "full": True, "direction": "Pull"}).items()
    assert batches
    assert all(b.items() >= (names | {"event": "batch committed", "level": "debug"}).items() for b in batches)
    counts = {"processed": 4, "created": 3, "updated": 0, "errored": 1}
    assert {key: sum(b[key] for b in batches) for key in counts} == counts
    outcome = names | counts | {"event": "map finished", "level": "warning", "status": "Partial"}
    assert map_finished.items() >= outcome.items()
    assert map_finished["codes"] == ["transform/does_not_fit"]
    assert run_finished.items() >= (counts | {"event": "run finished", "level": "warning", "see": f"mj runs {run_id}"}).items()
    assert 0 <= run_finished["seconds"] < 60
    assert all(event["timestamp"].endswith("Z") for event in events(err))


def test_a_terminal_gets_lines_for_people(folder: Path) -> None:
    out, screen = shown(folder, runs(("bad", "debug")), NO_COLOR="1")
    *lines, end = screen.splitlines()
    assert end == "---"
    levels = [line.partition("[")[2].partition("]")[0].strip() for line in lines]
    assert levels == ["info", *["debug"] * (len(lines) - 3), "warning", "warning"]
    assert "map started" in lines[0]
    assert "object=bad entity=Contacts status=Partial processed=4 created=3 errored=1" in lines[-2]
    assert f"see='mj runs {json.loads(out)[0]}'" in lines[-1]
    assert "\x1b" not in screen
    assert "updated" not in screen


def test_a_terminal_gets_colours(folder: Path) -> None:
    assert "\x1b[" in shown(folder, WRITE + 'write("error", "x")')[1]


LEVELS: list[tuple[tuple[str, str | None], list[tuple[str, str]]]] = [
    (("good", None), [("map started", "info"), ("map finished", "info"), ("run finished", "info")]),
    (("bad", None), [("map started", "info"), ("map finished", "warning"), ("run finished", "warning")]),
    (("good", ""), [("map started", "info"), ("map finished", "info"), ("run finished", "info")]),
    (("good", " INFO "), [("map started", "info"), ("map finished", "info"), ("run finished", "info")]),
    (("good", "warning"), []),
    (("bad", "warning"), [("map finished", "warning"), ("run finished", "warning")]),
    (("bad", "error"), []),
    (("missing", "error"), [("map finished", "error"), ("run finished", "error")]),
    (("missing", "off"), []),
]


def test_the_level_decides_what_is_written(folder: Path) -> None:
    _, err = piped(folder, runs(*(run for run, _ in LEVELS)))
    written = [[(event["event"], event["level"]) for event in events(part)] for part in err.split("---\n")[:-1]]
    assert written == [expected for _, expected in LEVELS]


def test_a_terminal_stays_quiet_unless_something_fails(folder: Path) -> None:
    _, screen = shown(folder, runs(("good", None), ("bad", None), ("missing", None)))
    *quiet, failed, _ = screen.split("---")
    assert [text.strip() for text in quiet] == ["", ""]
    assert "run finished" in failed


def test_an_unknown_level_is_named_once_and_the_default_holds(folder: Path) -> None:
    _, err = piped(folder, WRITE + 'write("info", "a"); write("debug", "b"); write("error", "c")', MJ_LOG="verbose")
    assert [event["event"] for event in events(err)] == [
        "MJ_LOG: 'verbose' is none of debug, info, warning, error, off",
        "a",
        "c",
    ]


# --- what is not ---


def test_no_line_holds_a_value_of_a_record(folder: Path) -> None:
    out, err = piped(folder, runs(*((name, "debug") for name in ("good", "bad", "worse", "missing"))))
    assert [MARK in line for line in out.splitlines()] == [False, True, True, False]  # texts of errors do
    assert len(events(err)) > 12
    assert MARK not in err


def test_structlog_is_loaded_with_the_first_line(folder: Path) -> None:
    out, _ = piped(folder, runs(("good", "warning"), ("good", "info")))
    assert [json.loads(line)[2] for line in out.splitlines()] == [False, True]


def test_nothing_global_is_configured(folder: Path) -> None:
    code = """
    import logging
    before = logging.root.level, list(logging.root.handlers), list(logging.getLogger("mjcore").handlers)
    import mj_notify_log
    import sys
    assert "structlog" not in sys.modules
    mj_notify_log.lines.write("error", "x")
    import structlog
    assert not structlog.is_configured()
    assert before == (logging.root.level, list(logging.root.handlers), list(logging.getLogger("mjcore").handlers))
    """
    assert len(events(piped(folder, code)[1])) == 1


def test_control_characters_do_not_reach_a_terminal(folder: Path) -> None:
    code = r"""
    from mj_notify_log.lines import write
    write("error", "clear\x1b[2J", connection="Ac\rme\x9b2J", codes=["a\x1b[31m"], text="two\nlines")
    """
    _, screen = shown(folder, code, NO_COLOR="1")
    assert "\x1b" not in screen
    assert "\x9b" not in screen
    assert screen.count("\n") == screen.count("\r") == 1
    assert r"clear\x1b[2J" in screen


def test_a_pipe_of_any_encoding_gets_json(folder: Path) -> None:
    code = r"""
    from mj_notify_log.lines import write
    write("error", "é→😀\ud800", connection="Ac\nme")
    """
    (event,) = events(piped(folder, code, PYTHONIOENCODING="ascii")[1])
    assert event["event"] == "é→😀\ud800"
    assert event["connection"] == "Ac\nme"


def test_behind_a_progress_bar_a_terminal_is_still_one(folder: Path) -> None:
    code = """
    import io, sys
    from mj_notify_log.lines import write

    class Bars(io.TextIOBase):
        def __init__(self, file):
            self.file = file
        def write(self, text):
            return self.file.write(text.upper())
        def fileno(self):
            return self.file.fileno()

    sys.stderr = Bars(sys.stderr)
    write("error", "seen")
    """
    _, screen = shown(folder, code, NO_COLOR="1")
    assert "SEEN" in screen
    assert "{" not in screen


def test_a_program_without_standard_error_goes_on(folder: Path) -> None:
    code = """
    import io, sys
    from mj_notify_log.lines import write
    sys.stderr, err = None, sys.stderr
    write("error", "lost")
    sys.stderr = io.StringIO()
    write("error", "kept")
    print(sys.stderr.getvalue())
    """
    out, err = piped(folder, code)
    assert err == ""
    assert json.loads(out)["event"] == "kept"


def test_lines_of_many_threads_stay_whole(folder: Path) -> None:
    code = """
    from threading import Thread
    from mj_notify_log.lines import write
    threads = [Thread(target=lambda n=n: [write("info", "line", n=n, text="x" * 500) for _ in range(50)]) for n in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    """
    found = events(piped(folder, code)[1])
    assert sorted(event["n"] for event in found) == sorted(list(range(8)) * 50)


def test_a_host_that_configured_structlog_gets_the_events(folder: Path) -> None:
    code = """
    import structlog
    from mj_notify_log.lines import write
    structlog.configure(processors=[lambda _, method, event: print("host", method, event["event"], event["n"]) or event,
        structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory())
    write("info", "seen", n=1)
    write("debug", "unseen", n=2)
    """
    out, err = piped(folder, code)
    assert out == "host info seen 1\n"
    assert err == ""


# --- notices ---


def test_the_notifier_writes_notices(folder: Path) -> None:
    code = """
    from mjcore.capabilities import Notice
    from mjcore.kernel import Kernel
    kind = Kernel().notifier_types["log"]
    notifier = kind.open(kind.config())
    for name in ("failed", "auth", "partial", "recovered"):
        notifier.notify(Notice(name, "A title", "a text", "Acme files", "r1", {"errored": 3, "event": "kept apart"}))
    """
    found = events(piped(folder, code)[1])
    assert [(notice["kind"], notice["level"]) for notice in found] == [
        ("failed", "error"),
        ("auth", "error"),
        ("partial", "warning"),
        ("recovered", "info"),
    ]
    expected = {"event": "A title", "text": "a text", "connection": "Acme files", "run_id": "r1"}
    assert found[0].items() >= expected.items()
    assert found[0]["facts"] == {"errored": 3, "event": "kept apart"}
