"""What the README says works."""

import re
import shlex
from pathlib import Path
from typing import Any

from mj_sandbox import serve
from mj_sandbox.__main__ import _parser

README = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")


def test_the_python_example_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(code, {})


def test_every_curl_example_is_answered(caller: Any) -> None:
    examples = re.findall(r"^curl (.*)$", README, re.MULTILINE)
    assert len(examples) == 10
    with serve(contacts=1000) as handle:
        call = caller(handle)
        for example in examples:
            *data, address = shlex.split(example)
            path = address.removeprefix("http://127.0.0.1:8765")
            answer = call("POST", path, data[1].encode()) if data else call("GET", path)
            assert answer.status == 200, (example, answer.json)


def test_every_option_is_listed() -> None:
    listed = set(re.findall(r"^\| `(--[a-z-]+)", README, re.MULTILINE))
    hubspot = _parser()._subparsers._group_actions[0].choices["hubspot"]  # type: ignore[union-attr,index]  # argparse has no other way
    assert listed == {each for action in hubspot._actions for each in action.option_strings} - {"-h", "--help"}
