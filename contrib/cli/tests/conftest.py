"""A folder of files as the account, and `mj` as a person starts it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from mj_cli.commands import app
from typer.testing import CliRunner

METADATA = """\
Companies: [{Name: Acme}]
Entities:
  - Name: Contacts
    Table: contacts
    Fields:
      - {Name: Email, Type: email, MaxLength: 320}
      - {Name: FullName, Type: string}
      - {Name: Status, Type: string}
      - {Name: Revenue, Type: currency}
Connections:
  - Name: Acme files
    Company: Acme
    Provider: Files
    Configuration: {Folder: data}
    EntityMaps:
      - ExternalObjectName: contacts
        Entity: Contacts
        MatchStrategy: {Strategy: KeyFields, KeyFields: [Email]}
        FieldMaps:
          - SourceFieldName: email
            DestinationFieldName: Email
            IsKeyField: true
            TransformPipeline: [{Type: text, Config: {Operation: lower}}]
          - SourceFieldName: first
            DestinationFieldName: FullName
            TransformPipeline: [{Type: combine, Config: {Parts: ["{{first}}", "{{last}}"], Separator: " "}}]
          - SourceFieldName: stage
            DestinationFieldName: Status
            TransformPipeline: [{Type: lookup, Config: {Map: {NO: Nothing, on: Active, 01: First}}}]
          - {SourceFieldName: revenue, DestinationFieldName: Revenue}
"""
CONTACTS = """\
id,email,first,last,stage,revenue
1,Ada@Example.org,Ada,Lovelace,NO,12.50
2,bob@example.org,Bob,Ross,on,
3,cy@example.org,Cy,Twombly,01,7
"""


@frozen
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working directory: a metadata file, and a folder `data` that it reads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("MJ_STORE", raising=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "contacts.csv").write_text(CONTACTS)
    (tmp_path / "crm.yaml").write_text(METADATA)
    return tmp_path


@pytest.fixture
def mj(folder: Path) -> Callable[..., Ended]:
    """Return `mj` in that folder."""

    def run(*arguments: str) -> Ended:
        ended = CliRunner().invoke(app, arguments)
        if ended.exception and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    return run
