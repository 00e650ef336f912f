"""The child process: evaluates expressions for its parent until its standard input ends.

A script, not a module: it sees the standard library and the JavaScript engine, and nothing of the project. The parent names
the engine's folder as the only argument. A request is the header `REQUEST`, an expression, and items of JSON, one a line; the
answer is the header `ANSWER` and as many lines, fewer when the budget was used up. A request without items checks the syntax.
"""

import json
import os
import re
import resource
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

REQUEST = struct.Struct(">IId")
"""Bytes of the expression, bytes of the items, budget in seconds of CPU time."""
ANSWER = struct.Struct(">Id")
"""Bytes of the lines, seconds of CPU time used."""

VALUE_SECONDS = 0.25
"""CPU time of one value, kept by the engine, which does not look at the clock inside its own functions."""
KILL_SECONDS = 0.5
"""CPU time after which the system ends the process."""
MEMORY = 64 * 2**20
STACK = 256 * 2**10
MAX_EXPRESSIONS = 100

LONG_NUMBER = re.compile(r"[0-9]{16}")
PRELUDE = Path(__file__).with_name("prelude.js")


class Sandbox:
    """One context for all expressions: they cannot change it, and after a fault of the engine it is replaced."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.prelude = PRELUDE.read_text("utf-8")
        self.renew()

    def renew(self) -> None:
        context = self.engine.Context()
        context.set_memory_limit(MEMORY)
        context.set_max_stack_size(STACK)
        self.compile = context.eval(self.prelude)
        context.set_time_limit(VALUE_SECONDS)
        self.functions: dict[str, Any] = {}
        self.is_fresh = True

    def function(self, expression: str) -> Any:
        if expression not in self.functions:
            if len(self.functions) == MAX_EXPRESSIONS:
                self.renew()
            self.functions[expression] = self.compile(expression)
        return self.functions[expression]

    def evaluate(self, expression: str, item: str) -> str:
        """Return JSON: the result in a list, an empty list for undefined, or a message."""
        was_fresh, self.is_fresh = self.is_fresh, False
        try:
            answer: str = self.function(expression)(item, LONG_NUMBER.search(item) is not None)
        except (self.engine.JSException, self.engine.StackOverflow) as error:
            self.renew()
            answer = fault(error)
        if answer.startswith('"InternalError: out of memory') and not was_fresh:
            self.renew()  # what earlier values left behind is not this one's fault
            return self.evaluate(expression, item)
        return answer

    def check(self, expression: str) -> str:
        """Return an empty list, or what is wrong, with the position. Nothing is evaluated."""
        try:
            self.compile(expression)
        except (self.engine.JSException, self.engine.StackOverflow) as error:
            self.renew()
            return fault(error, lines=2)
        return "[]"


def fault(error: Exception, lines: int = 1) -> str:
    text = " ".join(str(error).splitlines()[:lines])
    return json.dumps(text.replace("InternalError: interrupted", f"it took longer than {VALUE_SECONDS:g} s"))


def answers(sandbox: Sandbox, expression: str, items: list[str], budget: float) -> list[str]:
    lines = []
    end = time.process_time() + budget
    for item in items:
        if time.process_time() > end:
            break
        signal.setitimer(signal.ITIMER_PROF, KILL_SECONDS)
        lines.append(sandbox.evaluate(expression, item))
    return lines


def read(size: int) -> bytes:
    """Return the next bytes from the parent; when it is gone, the process ends."""
    data = sys.stdin.buffer.read(size)
    if len(data) < size:
        os._exit(0)
    return data


def serve(sandbox: Sandbox) -> None:
    while True:
        expression_size, items_size, budget = REQUEST.unpack(read(REQUEST.size))
        expression = read(expression_size).decode("utf-8", "surrogatepass")
        items = read(items_size).decode("ascii").split("\n") if items_size else []
        start = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, KILL_SECONDS)
        lines = answers(sandbox, expression, items, budget) if items else [sandbox.check(expression)]
        signal.setitimer(signal.ITIMER_PROF, 0)
        data = "\n".join(lines).encode("utf-8", "surrogatepass")
        sys.stdout.buffer.write(ANSWER.pack(len(data), time.process_time() - start) + data)
        sys.stdout.buffer.flush()


def limit() -> None:
    """No files, no dumps, little memory; the parent decides when to end, not a Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for kind, most in (("AS", 512 * 2**20), ("FSIZE", 0), ("CORE", 0), ("NOFILE", 8)):
        resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (most, most))


def main() -> None:
    sys.path.append(sys.argv[1])
    import _quickjs  # type: ignore[import-not-found]  # not `quickjs`, which starts threads; its folder is known only now

    sandbox = Sandbox(_quickjs)
    limit()
    sys.stdout.buffer.write(ANSWER.pack(0, 0))
    sys.stdout.buffer.flush()
    serve(sandbox)


if __name__ == "__main__":
    main()
