from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_secrets_local import mj_secret_types

from mjcore.errors import ConfigError

RESOLVE = {t.scheme: t.resolve for t in mj_secret_types()}
SECRET = "s3cr3t-t0ken"


def test_a_variable_is_resolved_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MJ_TEST_TOKEN", SECRET)
    assert RESOLVE["env"]("MJ_TEST_TOKEN") == SECRET
    monkeypatch.setenv("MJ_TEST_TOKEN", "rotated")
    assert RESOLVE["env"]("MJ_TEST_TOKEN") == "rotated"


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MJ_TEST_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="'MJ_TEST_TOKEN' is not set"):
        RESOLVE["env"]("MJ_TEST_TOKEN")


def test_an_empty_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MJ_TEST_TOKEN", "")
    with pytest.raises(ConfigError, match="'MJ_TEST_TOKEN' is empty"):
        RESOLVE["env"]("MJ_TEST_TOKEN")


@pytest.mark.parametrize(("scheme", "usage"), [("env", "env:NAME"), ("file", "file:PATH")])
def test_a_reference_to_nothing_shows_how_to_write_one(scheme: str, usage: str) -> None:
    with pytest.raises(ConfigError, match=usage):
        RESOLVE[scheme]("")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_loses_the_newline_at_its_end(tmp_path: Path, end: str) -> None:
    file = tmp_path / "token"
    file.write_bytes((SECRET + end).encode())
    assert RESOLVE["file"](str(file)) == SECRET


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_everything_but_one_newline_at_the_end_is_kept(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any"
    secret = "k" + text + "k"
    file.write_bytes(f"{secret}\n".encode())
    assert RESOLVE["file"](str(file)) == secret


def test_a_relative_path_starts_at_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(SECRET)
    monkeypatch.chdir(tmp_path)
    assert RESOLVE["file"]("token") == SECRET


def test_a_missing_file_is_named_with_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="'token' does not exist") as error:
        RESOLVE["file"]("token")
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError, match="is empty"):
        RESOLVE["file"](str(tmp_path / "token"))


@pytest.mark.parametrize("path", ["folder", "nul\0byte"])
def test_what_is_no_readable_file_is_a_configuration_error(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="secret file"):
        RESOLVE["file"](str(tmp_path / path))


def test_no_part_of_an_unreadable_secret_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(SECRET.encode() + b"\xff")
    with pytest.raises(ConfigError, match="UTF-8") as error:
        RESOLVE["file"](str(tmp_path / "token"))
    assert SECRET not in repr(error.value)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None
