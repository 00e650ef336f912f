"""Rules of leases and fences: one connection is written by one run at a time."""

import threading
from contextlib import suppress
from datetime import timedelta

from mj_testing.proof import broken
from mj_testing.rules import rule
from mj_testing.scenes import HOUR, begin
from mj_testing.suites.store.stage import Databases
from mjcore.errors import LeaseHeld, LeaseLost
from mjcore.models import IntegrationRun
from mjcore.records import Lease

ASKING = 6


class LeaseRules(Databases):
    """What `acquire`, `renew`, `release` and the fence have to keep."""

    @rule(
        "a connection that is held is refused; when it is given back, it can be taken",
        remedy="raise LeaseHeld with holder and time while the lease runs, and forget it in `release`",
    )
    def test_a_held_connection_is_refused(self) -> None:
        self.proof.once(self._refuses)

    def _refuses(self) -> None:
        scene = begin(self.store)
        try:
            self.store.acquire(scene.connection, "another", HOUR, lambda _: False)
        except LeaseHeld as held:
            if held.holder != "the test":
                broken(seen=f"it is held by 'the test', and LeaseHeld says {held.holder!r}")
        else:
            broken(seen="two holders have one connection")
        self.store.release(scene.lease)
        try:
            self.store.acquire(scene.connection, "another", HOUR, lambda _: False)
        except LeaseHeld as held:
            broken(cause=held, seen=f"it was given back, and still: {held}")

    @rule(
        "every holder has a greater fence than the one before, and a holder that is gone is taken over at once",
        remedy="count the fence up in the same statement that takes the lease, and ask `is_gone` of whom it is taken from",
    )
    def test_fences_grow(self) -> None:
        self.proof.once(self._grow)

    def _grow(self) -> None:
        scene = begin(self.store)
        fences = [scene.lease.fence]
        try:
            for number in range(3):
                lease = self.store.acquire(scene.connection, f"holder {number}", HOUR, lambda _: True)
                fences.append(lease.fence)
        except LeaseHeld as held:
            broken(cause=held, seen=f"the holder is gone, and still: {held}")
        if fences != sorted(set(fences)):
            broken(seen=f"fences {fences}")

    @rule(
        "who lost the lease writes nothing: neither rows, nor position, nor how the run ended",
        remedy="make the fence part of the transaction, as a conditional UPDATE of the lease: a SELECT lets both commit",
    )
    def test_who_lost_the_lease_writes_nothing(self) -> None:
        for what in ("commit", "save"):
            self.proof.once(lambda what=what: self._is_fenced(what))  # type: ignore[misc]

    def _is_fenced(self, what: str) -> None:
        scene = begin(self.store)
        self.store.acquire(scene.connection, "another", HOUR, lambda _: True)
        change = scene.create("late", {"Email": "late@x", "Name": "late"})
        run = IntegrationRun(scene.run.id, scene.connection.id, "Pull", "Completed", scene.run.started_at)
        calls = {
            "commit": lambda: scene.commit(changes=[change], links=[scene.link(change)]),
            "save": lambda: self.store.save([run], lease=scene.lease),
        }
        self.refused(LeaseLost, calls[what], example=f"{what} with a lease that another holder has taken over")

    @rule(
        "a lease can be prolonged while it is held, and by its holder alone",
        remedy="prolong where connection, holder and fence agree, else raise LeaseLost",
    )
    def test_a_lease_is_renewed_by_its_holder(self) -> None:
        self.proof.once(self._renews)

    def _renews(self) -> None:
        scene = begin(self.store)
        renewed = self.store.renew(scene.lease, 2 * HOUR)
        if renewed.fence != scene.lease.fence or renewed.expires_at - scene.lease.expires_at < timedelta(minutes=50):
            broken(seen=f"{renewed} instead of an hour more than {scene.lease}")
        self.store.acquire(scene.connection, "another", HOUR, lambda _: True)
        self.refused(LeaseLost, lambda: self.store.renew(scene.lease, HOUR), example="renew after another took it over")

    @rule(
        "of many that ask at once, one gets the connection",
        remedy="take the lease with one conditional statement, or under a lock of the database: not by reading first",
    )
    def test_of_many_one_gets_it(self) -> None:
        self.proof.once(self._gives_one)

    def _gives_one(self) -> None:
        scene = begin(self.store)
        self.store.release(scene.lease)
        stores = [self.made.open() for _ in range(ASKING)]
        start, won = threading.Barrier(ASKING), list[Lease]()

        def ask(number: int) -> None:
            start.wait(30)
            with suppress(LeaseHeld):
                won.append(stores[number].acquire(scene.connection, f"holder {number}", HOUR, lambda _: False))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(ASKING)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        if len(won) != 1:
            broken(seen=f"{len(won)} of {ASKING} have it: {[lease.holder for lease in won]}")
