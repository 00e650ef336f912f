"""Hypothesis strategies of everything that a plugin meets: values, records, configurations, maps, tables, histories."""

from mj_testing.strategies.changes import row_changes as row_changes
from mj_testing.strategies.configurations import configurations as configurations
from mj_testing.strategies.histories import Move as Move
from mj_testing.strategies.histories import histories as histories
from mj_testing.strategies.histories import moves as moves
from mj_testing.strategies.maps import field_maps as field_maps
from mj_testing.strategies.maps import pipelines as pipelines
from mj_testing.strategies.records import mapped_records as mapped_records
from mj_testing.strategies.records import records as records
from mj_testing.strategies.schemas import entities as entities
from mj_testing.strategies.schemas import entity_fields as entity_fields
from mj_testing.strategies.schemas import values_of as values_of
from mj_testing.strategies.values import scalars as scalars
from mj_testing.strategies.values import texts as texts
from mj_testing.strategies.values import values as values
