"""Owners, pipelines, tokens, and what the account says of itself."""

from typing import Any
from urllib.parse import parse_qsl

from mj_sandbox.call import Answer, Call
from mj_sandbox.catalogue.structure import OWNERS
from mj_sandbox.problems import missing
from mj_sandbox.properties import DEFINED
from mj_sandbox.words import FIRST_NAMES, LAST_NAMES


def owners(call: Call) -> Answer:
    """List owners; `email` picks one, `after` is an owner's place in the list."""
    wanted, limit, after = call.text("email"), call.limit(100, 500), call.after()
    everyone = [] if call.flag("archived") else [_owner(number) for number in range(len(OWNERS))]
    found = [each for each in everyone if not wanted or each["email"] == wanted]
    content: dict[str, Any] = {"results": found[after : after + limit]}
    if after + limit < len(found):
        following = str(after + limit)
        content["paging"] = {"next": {"after": following, "link": call.next_link(following)}}
    return Answer(content)


def owner(call: Call, text: str) -> Answer:
    """Return one owner by its id, or with idProperty=userId by that of its user."""
    key = "userId" if call.text("idProperty", "id") == "userId" else "id"
    for number in range(len(OWNERS)):
        if str(_owner(number)[key]) == text:
            return Answer(_owner(number))
    raise missing(f"Owner {text} does not exist")


def _owner(number: int) -> dict[str, Any]:
    first, last = FIRST_NAMES[number * 11 % len(FIRST_NAMES)], LAST_NAMES[number * 13 % len(LAST_NAMES)]
    user = 60_000_001 + number
    return {
        "id": OWNERS[number],
        "email": f"owner{number + 1}@vendor.example.com",
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": user,
        "userIdIncludingInactive": user,
        "createdAt": DEFINED["createdAt"],
        "updatedAt": DEFINED["updatedAt"],
        "archived": False,
    }


def pipelines(call: Call, kind: str) -> Answer:
    name = call.account.table(kind).kind.name
    return Answer({"results": [each.definition() for each in call.account.pipelines.get(name, [])]})


def pipeline(call: Call, kind: str, pipeline_id: str) -> Answer:
    return Answer(_pipeline(call, kind, pipeline_id))


def stages(call: Call, kind: str, pipeline_id: str) -> Answer:
    return Answer({"results": _pipeline(call, kind, pipeline_id)["stages"]})


def stage(call: Call, kind: str, pipeline_id: str, stage_id: str) -> Answer:
    for each in _pipeline(call, kind, pipeline_id)["stages"]:
        if each["id"] == stage_id:
            return Answer(each)
    raise missing(f"Stage {stage_id} of pipeline {pipeline_id} does not exist")


def _pipeline(call: Call, kind: str, pipeline_id: str) -> dict[str, Any]:
    name = call.account.table(kind).kind.name
    for each in call.account.pipelines.get(name, []):
        if each.id == pipeline_id:
            return each.definition()
    raise missing(f"Pipeline {pipeline_id} of {name} does not exist")


def token(call: Call) -> Answer:
    form = dict(parse_qsl(call.request.body.decode("latin-1")))
    return Answer(call.account.tokens.issue(form))


def details(call: Call) -> Answer:
    return Answer(
        {
            "portalId": call.account.options.portal,
            "accountType": "STANDARD",
            "timeZone": "US/Eastern",
            "companyCurrency": "USD",
            "additionalCurrencies": [],
            "utcOffset": "-05:00",
            "utcOffsetMilliseconds": -18_000_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }
    )
