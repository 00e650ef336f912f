"""Audit: the trail alone rebuilds every row; undo goes back, a plan goes nowhere, and no secret is anywhere."""

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from mjcore.capabilities import Connection, ProviderType, Secret, Source
from mjcore.errors import AuthFailed
from mjcore.hookspecs import hookimpl
from mjcore.kernel import Kernel
from mjcore.retry import Patience
from mjcore.wire import unstructure

NAME = {"Name": "Name", "MaxLength": 8}


def metadata(document: Callable[..., Any], behavior: str) -> Any:
    made = document(fields=[NAME], DeleteBehavior=behavior, entity={"SoftDeleteField": "Gone"})
    made["Entities"][0]["Fields"].append({"Name": "Gone", "Type": "boolean"})
    return made


@pytest.mark.parametrize("behavior", ["SoftDelete", "HardDelete"])
def test_the_trail_alone_rebuilds_every_row_whatever_happened(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any], behavior: str
) -> None:
    """Each change is written once, knows what was there before, and names its run, map, version, rule and record."""

    @given(histories.runs(histories.moves(histories.bad, histories.deletes), histories.faults))
    def check(runs: Any) -> None:
        world = scenes.world()
        with scenes.open(metadata(document, behavior), world) as scene:
            known: set[str] = set()
            for moves, script in runs:
                for move in moves:
                    world.act(move)
                world.plan(script)
                known.add(scene.sync().run_id)
            known.add(scene.settle().run_id)
            rebuilt = replay(scene.kernel.store.changes(), known)
            (entity_map,) = scene.kernel.connections("Acme")[0].entity_maps
            names = ("id", "Name", "Gone")
            held = scene.kernel.store.read(entity_map.entity, list(rebuilt), names)
            assert len(scene.rows("id")) == len(rebuilt)
            for key, values in rebuilt.items():
                assert {name: values.get(name) for name in names} == dict(held[key])

    prove(check)


def replay(changes: Iterable[Any], runs: set[str]) -> dict[Any, dict[str, Any]]:
    """Return rows by key, from nothing but the trail."""
    rows: dict[Any, dict[str, Any]] = {}
    for change in changes:
        assert change.run_id in runs
        assert (change.rule, change.map_version) == ({"create": "none"}.get(change.kind, "link"), 1)
        assert change.external_id in set("abcdefg")
        assert change.entity_map_id
        assert change.origin
        assert change.changed_at.tzinfo
        if change.kind == "create":
            assert change.key not in rows
            rows[change.key] = dict(change.new)
            continue
        row = rows[change.key]
        assert {name: row.get(name) for name in change.old} == dict(change.old)
        if change.kind == "delete":
            assert set(change.old) >= {"Name", "Gone"}, "a delete keeps the whole row"
            del rows[change.key]
        else:
            assert any(change.old[name] != value for name, value in change.new.items()), "something changed"
            row |= change.new
    return rows


@pytest.mark.parametrize("behavior", ["SoftDelete", "HardDelete"])
def test_an_undone_run_leaves_the_rows_as_they_were_and_the_next_one_brings_them_back(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any], behavior: str
) -> None:
    moves = histories.moves(histories.deletes)

    @given(st.lists(moves, max_size=6), st.lists(moves, max_size=6))
    def check(before: Any, after: Any) -> None:
        world = scenes.world()
        with scenes.open(metadata(document, behavior), world) as scene:
            for move in before:
                world.act(move)
            scene.settle()
            rows = scene.rows("id", "Name", "Gone")
            for move in after:
                world.act(move)
            run = scene.settle()
            there = scene.rows("Name", "Gone")
            undone = scene.kernel.undo(run.run_id)
            assert scene.rows("id", "Name", "Gone") == rows, undone
            scene.settle()
            assert scene.rows("Name", "Gone") == there

    prove(check, examples=6)


def test_a_plan_tells_what_the_sync_does_and_writes_nothing(
    prove: Any, scenes: Any, histories: Any, document: Callable[..., Any]
) -> None:
    moves = histories.moves(histories.bad, histories.deletes)

    @given(st.lists(moves, max_size=6), st.lists(moves, max_size=6))
    def check(before: Any, after: Any) -> None:
        world = scenes.world()
        with scenes.open(metadata(document, "HardDelete"), world) as scene:
            for move in before:
                world.act(move)
            scene.settle()
            for move in after:
                world.act(move)
            world.now += scenes.minute
            stored = scene.database.dump()
            planned = scene.kernel.plan("Acme")
            assert scene.database.dump() == stored
            result = scene.sync()
            assert planned.counts == result.counts

    prove(check, examples=6)


# --- Secrets -----------------------------------------------------------------------------------------

SECRET = "pat-5ecre7-4nd-l0ng"


@frozen
class NoSettings:
    pass


@frozen
class Token:
    token: Secret


@frozen
class Guarded:
    """A provider whose source is opened with a secret, and says so when it fails."""

    world: Any
    opened: list[str]

    def open(self, connection: Connection[NoSettings, Token]) -> Source:
        self.opened.append(connection.auth.token.reveal())
        self.world.plan({2: AuthFailed(f"{connection.auth} was refused")})
        source: Source = self.world
        return source

    @hookimpl
    def mj_provider_types(self) -> Iterable[ProviderType[Any, Any]]:
        return [ProviderType("Guarded", NoSettings, Token, self.open, page_size=3)]


def test_no_secret_reaches_the_store_a_log_a_result_or_an_error(
    scenes: Any, document: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PROMISED_TOKEN", SECRET)
    made = document("Name")
    made["Connections"][0] |= {"Provider": "Guarded", "AuthConfiguration": {"Token": "env:PROMISED_TOKEN"}}
    opened: list[str] = []
    world = scenes.world()
    for i in range(9):
        world.put(f"{i}", name="Ada")
    database = scenes.database()
    with Kernel(database.url, plugins={"guarded": Guarded(world, opened)}, patience=Patience(total=1)) as kernel:
        kernel.apply(made)
        result = kernel.sync("Acme")
        told = [
            json.dumps(unstructure(result)),
            json.dumps(unstructure(kernel.export())),
            json.dumps(unstructure(kernel.runs())),
            repr(kernel.connections("Acme")),
            caplog.text,
            *(line for lines in database.dump().values() for line in lines),
        ]
    assert opened == [SECRET]
    assert "***" in str(result.error)
    assert not any(SECRET in text for text in told)


@pytest.mark.parametrize("policy", ["SourceWins", "DestWins", "MostRecent", "Manual"])
def test_what_an_undo_put_back_is_nobodys_edit(scenes: Any, document: Callable[..., Any], policy: str) -> None:
    """The next sync brings the source's values, whatever the policy keeps of what people have written."""
    made = document("Name", "City", ConflictResolution=policy, entity={"UpdatedAtField": "ChangedAt"})
    made["Entities"][0]["Fields"].append({"Name": "ChangedAt", "Type": "datetime"})
    world = scenes.world()
    with scenes.open(made, world) as scene:
        world.put("1", name="Ada", city="Rome")
        scene.settle()
        scene.edit(scene.linked("id")["1"][0], City="Mine")
        world.now += 10 * scenes.minute
        world.put("1", name="Eve")
        run = scene.settle()
        assert scene.rows("Name")[0] == ("Eve",)
        before = scene.rows("City")
        assert scene.kernel.undo(run.run_id).reverted == 1
        assert scene.rows("Name", "City") == [("Ada", "Mine")]
        scene.settle()
        assert scene.rows("Name") == [("Eve",)]
        assert scene.rows("City") == before
