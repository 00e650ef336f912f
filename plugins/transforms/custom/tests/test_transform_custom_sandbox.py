"""Hostile expressions: each ends as an error of its own value within its limit, and the next value is right."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from mj_transform_custom import CustomConfig, mj_transform_types
from mj_transform_custom.evaluation import WORKER

from mjcore.errors import ConfigError, TransformError

(CUSTOM,) = mj_transform_types()

TIME = r"took longer than 0\.25 s"
KILLED = "did not end, and its process was killed"
MEMORY = "out of memory|string too long|string length|array length|Array buffer|array buffer"
STACK = "Maximum call stack size exceeded"
FROZEN = "read-only|not extensible|not configurable|frozen|TypeError"

HOSTILE = {
    "endless loop": ("(() => { while (true); })()", TIME),
    "loop in try and catch": ("(() => { for (;;) try { for (;;); } catch {} })()", TIME),
    "loop in finally": ("(() => { try { for (;;); } finally { for (;;); } })()", TIME),
    "labelled loop": ("(() => { a: for (;;) { for (;;) continue a } })()", TIME),
    "generator": ("[...(function* () { for (;;) yield* [] })()]", TIME),
    "growing generator": ("[...(function* () { for (;;) yield 1 })()]", f"{TIME}|{MEMORY}"),
    "catastrophic pattern": (r"/^(a|aa)+$/.test('a'.repeat(50) + 'b')", TIME),
    "native loop": ("new Array(1e9) + ''", KILLED),
    "native loop over holes": ("new Array(2 ** 32 - 1).indexOf(1)", f"{KILLED}|{TIME}"),
    "memory": ("(() => { const a = []; for (;;) a.push(new Array(1000).fill(1)) })()", f"{TIME}|{MEMORY}"),
    "string doubling": ("(() => { let s = 'x'; for (;;) s += s })()", f"{TIME}|{MEMORY}"),
    "string padding": ("'x'.padEnd(2 ** 30)", MEMORY),
    "array buffer": ("new ArrayBuffer(2 ** 31).byteLength", MEMORY),
    "deep recursion": ("(function f() { return f() + 1 })()", STACK),
    "mutual recursion in getters": ("({ get a() { return this.a } }).a", STACK),
    "deep result": ("(() => { let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a })()", "nested more than 100 times"),
    "cyclic result": ("(() => { const a = {}; a.a = a; return a })()", "nested more than 100 times"),
    "huge result": ("Array.from({ length: 200000 }, () => 'xxxxxxxxxx')", "longer than 1048576 characters"),
    "sparse result": ("(() => { const a = []; a.length = 4e9; return a })()", f"{TIME}|{MEMORY}"),
    "deep JSON": ("JSON.parse('['.repeat(1e6))", f"{STACK}|SyntaxError"),
    "getter in the result": ("({ get a() { for (;;); } })", TIME),
    "proxy as the result": ("new Proxy({}, { ownKeys() { for (;;); } })", TIME),
    "proxy that lies": ("new Proxy([], { get: (t, k) => k === 'length' ? 1e12 : 1 })", f"{TIME}|{MEMORY}"),
    "toJSON": ("({ toJSON() { for (;;); } })", "the result is a function"),
    "toString of what is thrown": ("(() => { throw { toString() { for (;;); } } })()", TIME),
    "name of what is thrown": ("(() => { throw Object.defineProperty(new Error(), 'name', { get() { for (;;); } }) })()", TIME),
    "throwing null": ("(() => { throw null })()", "null"),
    "symbol tricks": ("({ [Symbol.toPrimitive]() { for (;;); } }) + ''", TIME),
    "symbol as toStringTag": ("new (class { get [Symbol.toStringTag]() { for (;;); } })()", TIME),
    "species": (
        "(() => { class A extends Array { static get [Symbol.species]() { for (;;); } }; return new A(1).map(x => x) })()",
        TIME,
    ),
    "promise loop": ("(() => { const f = async () => { await 0; return f() }; return f() })()", "Promise"),
    "awaiting thenable": ("(async () => await { then() { for (;;); } })()", "Promise"),
    "Function": ("(() => {}).constructor('return globalThis')()", "not a function"),
    "AsyncFunction": ("(async () => {}).constructor('return 1')()", "not a function"),
    "GeneratorFunction": ("(function* () {}).constructor('yield 1')()", "not a function"),
    "eval": ("(0, globalThis.eval)('1')", "not a function"),
    "import": ("import('fs')", "Promise"),
    "Atomics.wait": ("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)", "not defined"),
    "overriding JSON.stringify": ("(JSON.stringify = () => '[1]', 2)", FROZEN),
    "overriding Array.prototype": ("(Array.prototype.map = () => 1, 2)", FROZEN),
    "polluting Object.prototype": ("(Object.prototype.polluted = 1, 2)", FROZEN),
    "polluting by __proto__": ("({}).__proto__.polluted = 1", FROZEN),
    "polluting by setPrototypeOf": ("Object.setPrototypeOf(Object.prototype, { polluted: 1 })", FROZEN),
    "polluting generators": ("Object.getPrototypeOf(function* () {}).prototype.next = 1", FROZEN),
    "polluting iterators": ("Object.getPrototypeOf([].values()).next = () => ({ done: true })", FROZEN),
    "leaving a global": ("(globalThis.leak = 1, 2)", FROZEN),
    "defining a global": ("Object.defineProperty(globalThis, 'value', { value: 1 })", FROZEN),
    "BigInt": ("2n ** (2n ** 40n)", f"{TIME}|{MEMORY}|BigInt"),
    "sorting without end": ("(() => { let n = 0; return Array(1e6).fill(0).sort(() => { for (;;) n++ }) })()", TIME),
    "replacing without end": ("'a'.repeat(1e6).replace(/a/g, () => 'b'.repeat(1e6))", f"{TIME}|{MEMORY}"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_expression_fails_within_its_limit_and_the_next_value_is_right(attack: Any) -> None:
    expression, fault = HOSTILE[attack]
    step = CUSTOM.compile(CustomConfig(expression))
    before = cpu_seconds(child_process().pid)
    start = time.monotonic()
    with pytest.raises(TransformError, match=fault):
        step.apply(["x"], [{"a": 1}])
    assert time.monotonic() - start < 5
    if child := WORKER.child:  # its own clock, as the machine may be busy
        assert cpu_seconds(child.process.pid) - before < 0.5
    next_value = "[value + 1, ({}).polluted === undefined, typeof leak, [1].map(n => n), JSON.stringify([1]), [...'ab']]"
    assert CUSTOM.compile(CustomConfig(next_value)).apply([41], [{}]) == [[42, True, "undefined", [1], "[1]", ["a", "b"]]]


def child_process() -> Any:
    assert WORKER.child
    return WORKER.child.process


def cpu_seconds(pid: Any) -> Any:
    """Return the CPU time of a process; 0 where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_one_poisoned_record_harms_no_other_in_its_batch() -> None:
    step = CUSTOM.compile(CustomConfig("record.bad ? new Array(1e9) + '' : value * 2"))
    values, records = list(range(300)), [{"bad": i in {70, 200}} for i in range(300)]
    with pytest.raises(TransformError, match=KILLED):
        step.apply(values, records)
    results = {}
    for value, record in zip(values, records, strict=True):
        try:
            results[value] = step.apply([value], [record])[0]
        except TransformError as error:
            results[value] = str(error)
    assert {value for value, result in results.items() if result != value * 2} == {70, 200}
    assert all(KILLED in results[value] for value in (70, 200))


def test_a_batch_has_a_budget_of_its_own() -> None:
    step = CUSTOM.compile(CustomConfig("(() => { for (;;); })()"))
    values, records = ["x"] * 20, [{"n": n} for n in range(20)]
    start = time.process_time()
    with pytest.raises(TransformError, match=TIME):
        step.apply(values, records)
    assert time.process_time() - start < 1
    with pytest.raises(TransformError, match="took longer than 25 ms on average"):
        step.apply(values[-1:], records[-1:])


def test_memory_that_others_left_behind_fails_nobody() -> None:
    step = CUSTOM.compile(
        CustomConfig("((async () => { const big = new Array(2e5).fill(value); await 0; return big })(), value)")
    )
    assert step.apply(list(range(100)), [{}] * 100) == list(range(100))


def test_a_compiler_bomb_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError):
        CUSTOM.compile(CustomConfig("[" * 19_000))


def test_a_child_that_stands_still_is_replaced(monkeypatch: Any) -> None:
    monkeypatch.setattr("mj_transform_custom.process.GRACE_SECONDS", 0.1)
    step = CUSTOM.compile(CustomConfig("value"))
    os.kill(child_process().pid, signal.SIGSTOP)
    with pytest.raises(TransformError, match=KILLED):
        step.apply([1], [{}])
    assert step.apply([2], [{}]) == [2]


def test_a_child_that_was_killed_is_replaced() -> None:
    step = CUSTOM.compile(CustomConfig("value"))
    child_process().kill()
    child_process().wait()
    assert step.apply([1, 2], [{}, {}]) == [1, 2]


def test_threads_share_the_process() -> None:
    results = {}

    def work(n: Any) -> None:
        step = CUSTOM.compile(CustomConfig(f"value + {n}"))
        results[n] = [step.apply(list(range(50)), [{}] * 50) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {n: [[i + n for i in range(50)]] * 20 for n in range(4)}


# --- Processes -----------------------------------------------------------------------------------

PROGRAM = """
import os, sys, signal
from mj_transform_custom import CustomConfig, compile_custom
from mj_transform_custom.evaluation import WORKER
step = compile_custom(CustomConfig("value + 1"))
assert step.apply([1], [{}]) == [2]
pid = WORKER.child.process.pid
"""


def run(program: Any) -> Any:
    done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM + program], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.split(), done.returncode


def is_alive(pid: Any) -> Any:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # a zombie whose new parent does not care has ended
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def ends_soon(pid: Any) -> Any:
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


def test_the_child_ends_with_the_program() -> None:
    (pid,), status = run("print(pid)")
    assert status == 0
    assert not is_alive(pid)


def test_the_child_ends_when_the_program_is_killed() -> None:
    (pid,), status = run("print(pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    assert status == -signal.SIGKILL
    assert ends_soon(pid)


def test_a_forked_process_gets_a_child_of_its_own_and_the_parent_keeps_its() -> None:
    out, status = run("""
sys.stdout.flush()
if (forked := os.fork()) == 0:
    assert step.apply([5], [{}]) == [6]
    assert WORKER.child.process.pid != pid
    print(WORKER.child.process.pid, flush=True)
    WORKER.stop()
    os._exit(0)
assert os.waitpid(forked, 0)[1] == 0
assert step.apply([2], [{}]) == [3] and WORKER.child.process.pid == pid
print(pid)
""")
    assert status == 0
    assert len(out) == 2
    assert not any(map(is_alive, out))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
def test_the_child_has_no_environment_and_cannot_write_files() -> None:
    CUSTOM.compile(CustomConfig("1"))
    process = Path(f"/proc/{child_process().pid}")
    assert (process / "environ").read_bytes().strip(b"\0") == b"TZ=UTC"
    limits = dict(line.rsplit(maxsplit=3)[:2] for line in (process / "limits").read_text().splitlines())
    assert limits["Max file size"] == "0"
    assert limits["Max open files"] == "8"


def test_the_last_step_that_is_closed_ends_the_child() -> None:
    _, status = run("""
other = compile_custom(CustomConfig("value + 2"))
assert other.apply([1], [{}]) == [3]
process = WORKER.child.process
step.close()
assert process.poll() is None
other.close()
assert process.poll() is not None and WORKER.child is None
assert step.apply([1], [{}]) == [2]
""")
    assert status == 0
