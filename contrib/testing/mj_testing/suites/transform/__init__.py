"""What a transform step has to keep."""

from mj_testing.suites.transform.pipeline_rules import PipelineRules
from mj_testing.suites.transform.value_rules import ValueRules


class TransformSuite(ValueRules, PipelineRules):
    """Subclass it with the plugin and some configurations, as a metadata file has them."""
