from collections.abc import Iterator

import mj_transform_custom
import pytest
from mj_testing.suites import TransformSuite
from mj_transform_custom import CustomConfig, compile_custom


@pytest.fixture(autouse=True, scope="module")
def step_of_another_map() -> Iterator[None]:
    """Keep the child process, which ends with the last step that is in use."""
    step = compile_custom(CustomConfig("value"))
    step.apply([""], [{}])
    yield
    step.close()  # type: ignore[attr-defined]


class TestCustom(TransformSuite):
    plugin = mj_transform_custom
    configs = [
        {"Expression": "value"},
        {"Expression": "value.trim().toUpperCase()"},
        {"Expression": "record.name ? `${record.name} <${record.email}>` : undefined"},
        {"Expression": "globalThis.count = (globalThis.count || 0) + 1"},
    ]
    refused = [{"Expression": "value +"}]
