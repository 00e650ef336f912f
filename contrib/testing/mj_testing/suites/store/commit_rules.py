"""Rules of a commit: all or nothing, each change as it was decided, and a trail of it."""

import threading

from attrs import evolve

from mj_testing.proof import broken
from mj_testing.rules import rule
from mj_testing.scenes import Scene, another, begin
from mj_testing.suites.store.stage import Databases
from mjcore.errors import RowsMoved, StoreError
from mjcore.records import BatchWrite, Conflict, Counts, Position, RecordError, RowChange, RowKey, Watermark

COUNTS = Counts(36, 1, 2, 3, 4, 5, 6, 15)
WRITERS, ROUNDS = 4, 5


def everything(scene: Scene, keys: dict[str, RowKey]) -> BatchWrite:
    """Return a batch with something of everything; `keys` are of the rows a and b."""
    create = scene.create("new", {"Email": "new@x", "Name": None}, ("Email",))
    update = RowChange("update", keys["a"], {"Name": "A"}, {"Name": "Z"}, "a", "KeyFields")
    return scene.write(
        changes=[create, RowChange("delete", keys["b"], scene.read(keys["b"]) or {}, {}, "b"), update],
        links=[scene.link(create), scene.link(update, created_row=False)],
        failed=[RecordError("bad", "transform", "required", "no value", {"x": 1})],
        cleared=["a"],
        conflicts=[Conflict("a", keys["a"], {"Name": "A"}, {"Name": "B"}, {"Name": "C"})],
        counts=COUNTS,
        position=Position(Watermark("Cursor", "c"), scene.run.id, 1, None, None, {"page": 2}, is_full=True),
        seen=["a", "b", "new"],
        staged_deletes={"c": None},
    )


class CommitRules(Databases):
    """What `commit` has to keep."""

    def begun(self) -> tuple[Scene, dict[str, RowKey]]:
        """Return a run with four linked rows, one of them in the ledger."""
        scene = begin(self.store)
        keys = scene.add({id_: {"Email": f"{id_}@x", "Name": id_.upper()} for id_ in "abcd"})
        scene.commit(failed=[RecordError("a", "fetch", "code", "message")])
        return scene, keys

    @rule(
        "a batch writes all that it holds",
        remedy="write every part of BatchWrite: rows, links, ledger, conflicts, what is staged, position",
    )
    def test_a_batch_writes_all_that_it_holds(self) -> None:
        self.proof.once(self._writes_all)

    def _writes_all(self) -> None:
        scene, keys = self.begun()
        write, store = everything(scene, keys), self.store
        store.commit(scene.context, write, scene.lease)
        created = write.changes[0]
        expected = {
            "the created row": ({"Email": "new@x", "Name": None}, scene.read(created.key)),
            "the updated row": ({"Email": "a@x", "Name": "Z"}, scene.read(keys["a"])),
            "the deleted row": (None, scene.read(keys["b"])),
            "the links": ({link.external_id: link for link in write.links}, dict(store.links(scene.context, ["new", "a"]))),
            "the ledger": ([("bad", "required")], [(f.external_id, f.code) for f in store.failed(scene.context)]),
            "the conflicts": (
                list(write.conflicts),
                [evolve(c, entity_map_id="") for c in store.conflicts(entity_map_id=scene.context.entity_map.id)],
            ),
            "the position": (write.position, store.position(scene.context)),
            "what a full read did not deliver": ({"d"}, {link.external_id for link in store.unseen(scene.context)}),
            "the staged deletes": ({"c"}, {link.external_id for link in store.staged_deletes(scene.context)}),
        }
        for what, (wanted, found) in expected.items():
            if wanted != found:
                broken(example=what, seen=f"{found} instead of {wanted}")

    @rule(
        "whatever fails, nothing of the batch is there; repeated, it is written",
        remedy="write the whole batch in one transaction, and roll back on any error before you raise StoreError",
        needs="forbid",
    )
    def test_a_batch_is_all_or_nothing(self) -> None:
        scene, keys = self.begun()
        before = self.made.dump()
        probe = everything(scene, keys)
        self.store.commit(scene.context, probe, scene.lease)
        after = self.made.dump()
        for table in sorted(name for name in after if after[name] != before.get(name)):
            self.proof.once(lambda table=table: self._is_atomic(table))  # type: ignore[misc]

    def _is_atomic(self, table: str) -> None:
        scene, keys = self.begun()
        write = everything(scene, keys)
        table = scene.entity.table if table.startswith("people") else table
        with self.made.forbid(table):
            self.refused(StoreError, lambda: self.store.commit(scene.context, write, scene.lease), failing=f"writes to {table}")
        self.store.commit(scene.context, write, scene.lease)
        if self.store.position(scene.context) != write.position:
            broken(failing=table, seen="repeated after the failure, the batch was not written")

    @rule(
        "rows that moved since the batch was decided are not overwritten: RowsMoved, and nothing is written",
        remedy="compare `old` of updates and deletes with the rows, inside the transaction and under the entity's lock",
    )
    def test_rows_that_moved_are_not_overwritten(self) -> None:
        for kind in ("update", "delete"):
            self.proof.once(lambda kind=kind: self._sees_moves(kind))  # type: ignore[misc]

    def _sees_moves(self, kind: str) -> None:
        scene, keys = self.begun()
        write = everything(scene, keys)
        moved = keys["a"] if kind == "update" else keys["b"]
        other = another(self.store, scene)
        other.commit(changes=[RowChange("update", moved, {"Name": "A" if kind == "update" else "B"}, {"Name": "mine"}, "x")])
        self.refused(RowsMoved, lambda: self.store.commit(scene.context, write, scene.lease), example=f"{kind} of a moved row")

    @rule(
        "of two creates that agree on their match keys, the second is refused: RowsMoved",
        remedy="look for rows with the values of `unique_on` inside the transaction, under the entity's lock",
    )
    def test_a_match_key_is_taken_once(self) -> None:
        self.proof.once(self._takes_once)

    def _takes_once(self) -> None:
        scene, _ = self.begun()
        other = another(self.store, scene)
        other.commit(changes=[other.create("o", {"Email": "new@x", "Name": "o"}, ("Email",))])
        create = scene.create("new", {"Email": "new@x", "Name": "n"}, ("Email",))
        self.refused(RowsMoved, lambda: scene.commit(changes=[create]), example="two creates of new@x")

    @rule(
        "every write of a row leaves an entry in the audit trail, as it was decided",
        remedy="insert an entry per RowChange in the same transaction: kind, key, old, new, external id, rule, run",
    )
    def test_every_change_is_audited(self) -> None:
        self.proof.once(self._audits)

    def _audits(self) -> None:
        scene, keys = self.begun()
        write = everything(scene, keys)
        self.store.commit(scene.context, write, scene.lease)
        found = [RowChange(c.kind, c.key, c.old, c.new, c.external_id, c.rule) for c in self.store.changes(run_id=scene.run.id)]
        wanted = [evolve(change, unique_on=()) for change in write.changes]
        if sorted(map(repr, found[4:])) != sorted(map(repr, wanted)):
            broken(seen=f"{found[4:]} instead of {wanted}")

    @rule(
        "writers of one entity lose nothing to each other",
        remedy="take the entity's lock before rows are compared, so that a decision is made on what is there when it is written",
    )
    def test_concurrent_writers_lose_nothing(self) -> None:
        self.proof.once(self._loses_nothing)

    def _loses_nothing(self) -> None:
        scene, keys = self.begun()
        writers = [another(self.made.open(), scene, f"writer {number}") for number in range(WRITERS)]
        errors: list[BaseException] = []
        threads = [threading.Thread(target=_append, args=(writer, keys["a"], errors)) for writer in writers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        name = str((scene.read(keys["a"]) or {}).get("Name"))
        if errors or len(name) != 1 + WRITERS * ROUNDS:
            seen = f"{len(name) - 1} of {WRITERS * ROUNDS} letters were kept; errors: {list(map(repr, errors))}"
            broken(example=f"{WRITERS} writers append {ROUNDS} letters each", seen=seen)


def _append(scene: Scene, key: RowKey, errors: list[BaseException]) -> None:
    """Append a letter to a name so many times; a row that moved is read again, as the kernel does."""
    left = ROUNDS
    try:
        while left:
            name = (scene.read(key) or {})["Name"]
            try:
                scene.commit(changes=[RowChange("update", key, {"Name": name}, {"Name": f"{name}x"}, "a")])
            except RowsMoved:
                continue
            left -= 1
    except BaseException as error:  # noqa: BLE001 - told by the test
        errors.append(error)
