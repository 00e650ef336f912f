import json

import mj_notify_log
import pytest
from mj_testing.suites import NotifierSuite


class TestLog(NotifierSuite):
    plugin = mj_notify_log
    lacks = {"http": "it writes to standard error"}

    @pytest.fixture(autouse=True)
    def _capture(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MJ_LOG", "debug")
        self.capsys = capsys

    def delivered(self) -> str:
        lines = [json.loads(line) for line in self.capsys.readouterr().err.splitlines()]
        return "\n".join(f"{line['event']} {line['text']}" for line in lines)
