"""What the author of a provider supplies: an account that a test can fill, change, and break."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from mjcore.records import ExternalRecord

READABLE = st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Po", "Sm"], exclude_characters='\\"')


class Account:
    """One empty account with one object. Subclass it; a new one is made for every example."""

    object_name: str
    """The object that records are made in."""
    field: str
    """A text field of its records, which every write sets."""
    url: str | None = None
    """Where its API answers (http://127.0.0.1:PORT), if it has one: faults are injected before it."""

    def configuration(self, url: str | None) -> Mapping[str, Any]:
        """Return the connection's `Configuration`; the API answers at `url`. Let its time limit be about a second."""
        raise NotImplementedError

    def secrets(self) -> Mapping[str, str]:
        """Return the texts of the secrets, by key of `AuthConfiguration`."""
        return {}

    def create(self, text: str) -> str:
        """Make a record with this text and return its id."""
        raise NotImplementedError

    def change(self, id_: str, text: str) -> None:
        """Give a record another text."""
        raise NotImplementedError

    def delete(self, id_: str) -> None:
        """Delete a record as a person would."""
        raise NotImplementedError

    def change_together(self, texts: Mapping[str, str]) -> None:
        """Give several records another text at one and the same instant."""
        raise NotImplementedError

    def wait(self) -> None:
        """Let time pass, so that what is written from now on is later than a watermark that was taken before."""

    def read_text(self, record: ExternalRecord) -> Any:
        """Return the text that a delivered record has."""
        return record.fields.get(self.field)

    def close(self) -> None:
        """Take the account down."""

    @staticmethod
    def texts() -> st.SearchStrategy[str]:
        """Return the texts that the field can hold, and gives back as they are."""
        return st.text(READABLE, min_size=1, max_size=12)
