from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import mj_provider_hubspot
from mj_sandbox import serve
from mj_testing.suites import Account, ProviderSuite

START = 1_780_000_000_000
"""The simulated clock of the account, in ms."""
TOKEN = "pat-na1-9f4e-only-for-tests"


class Portal(Account):
    """A simulated HubSpot account without a contact."""

    object_name = "contacts"
    field = "jobtitle"

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.hubspot = self.stack.enter_context(serve(contacts=0, token=TOKEN, clock=START))
        self.url = self.hubspot.address
        self.contacts = self.hubspot.account.tables["contacts"]
        self.clock = self.hubspot.account.clock

    def configuration(self, url: str | None) -> Mapping[str, Any]:
        return {"BaseURL": url, "Timeout": 1.5}

    def secrets(self) -> Mapping[str, str]:
        return {"Token": TOKEN}

    def create(self, text: str) -> str:
        with self.hubspot.account.lock:
            return str(self.contacts.create({"jobtitle": text}, self.clock.tick()))

    def change(self, id_: str, text: str) -> None:
        self.change_together({id_: text})

    def delete(self, id_: str) -> None:
        with self.hubspot.account.lock:
            self.contacts.archive(int(id_), self.clock.tick())

    def change_together(self, texts: Mapping[str, str]) -> None:
        with self.hubspot.account.lock:
            now = self.clock.tick()
            for id_, text in texts.items():
                self.contacts.write(int(id_), {"jobtitle": text}, now)

    def wait(self) -> None:
        with self.hubspot.account.lock:
            self.clock.advance(2000)

    def close(self) -> None:
        self.stack.close()


class TestHubSpot(ProviderSuite):
    plugin = mj_provider_hubspot
    account = Portal
    examples = 20
