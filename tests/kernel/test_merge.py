"""Two- and three-way decisions, field by field."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mjcore.merge import merge
from mjcore.models import ConflictResolution, Entity, EntityField

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ENTITY = Entity(
    "People", "people", updated_at_field="UpdatedAt", fields=(EntityField("Name"), EntityField("UpdatedAt", "datetime"))
)


def changed(
    policy: ConflictResolution, source: str, current: str, base: str | None, **times: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    row = {"Name": current, "UpdatedAt": times.get("row", T0)}
    before = None if base is None else {"Name": base}
    result = merge(ENTITY, policy, {"Name": source}, row, before, times.get("modified"))
    return result.changes, result.collisions


def test_source_wins_mirrors_whatever_was_edited_here() -> None:
    assert changed("SourceWins", "new", "edited", "old") == ({"Name": "new"}, {})
    assert changed("SourceWins", "new", "edited", None) == ({"Name": "new"}, {})


def test_dest_wins_keeps_edits_and_follows_the_source_elsewhere() -> None:
    assert changed("DestWins", "new", "old", "old") == ({"Name": "new"}, {})
    assert changed("DestWins", "new", "edited", "old") == ({}, {})


def test_without_a_base_a_difference_counts_as_an_edit() -> None:
    assert changed("DestWins", "new", "old", None) == ({}, {})
    assert changed("Manual", "new", "old", None) == ({}, {"Name": "new"})


def test_the_most_recent_side_wins() -> None:
    later, earlier = T0 + timedelta(seconds=1), T0 - timedelta(seconds=1)
    assert changed("MostRecent", "new", "edited", "old", modified=later) == ({"Name": "new"}, {})
    assert changed("MostRecent", "new", "edited", "old", modified=earlier) == ({}, {})
    assert changed("MostRecent", "new", "edited", "old", modified=T0) == ({}, {})


def test_manual_merges_what_does_not_collide_and_queues_the_rest() -> None:
    assert changed("Manual", "new", "old", "old") == ({"Name": "new"}, {})
    assert changed("Manual", "old", "edited", "old") == ({}, {})
    assert changed("Manual", "new", "edited", "old") == ({}, {"Name": "new"})


def test_a_field_that_the_source_did_not_send_is_left_alone() -> None:
    assert merge(ENTITY, "SourceWins", {}, {"Name": "kept"}, None, None).changes == {}


names = st.sampled_from(["a", "b", "c"]) | st.none()


@given(st.sampled_from(["SourceWins", "DestWins", "MostRecent", "Manual"]), names, names, names)
def test_equal_values_are_never_written_and_no_field_is_both_written_and_queued(
    policy: Any, source: Any, current: Any, base: Any
) -> None:
    changes, collisions = changed(policy, source, current, base, modified=T0)
    assert not (changes and collisions)
    if source == current:
        assert not changes
        assert not collisions
