"""Pipelines of deals and tickets."""

from typing import Any

from attrs import frozen

from mj_sandbox.catalogue.structure import DEAL_STAGES

NEVER = "1970-01-01T00:00:00Z"


@frozen
class Pipeline:
    """A pipeline and its stages: (id, label, metadata)."""

    id: str
    label: str
    stages: tuple[tuple[str, str, dict[str, str]], ...]

    def definition(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "displayOrder": 0,
            "id": self.id,
            "stages": [self._stage(order, *stage) for order, stage in enumerate(self.stages)],
            "createdAt": NEVER,
            "updatedAt": NEVER,
            "archived": False,
        }

    def _stage(self, order: int, stage_id: str, label: str, metadata: dict[str, str]) -> dict[str, Any]:
        return {
            "label": label,
            "displayOrder": order,
            "metadata": metadata,
            "id": stage_id,
            "createdAt": NEVER,
            "updatedAt": NEVER,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            "archived": False,
        }


_PROBABILITY = ("0.2", "0.4", "0.6", "0.8", "0.9", "1.0", "0.0")
_DEAL_LABELS = (
    "Appointment Scheduled", "Qualified To Buy", "Presentation Scheduled", "Decision Maker Bought-In", "Contract Sent",
    "Closed Won", "Closed Lost",
)  # fmt: skip
_SALES = tuple(
    (stage, label, {"isClosed": "true" if stage.startswith("closed") else "false", "probability": probability})
    for stage, label, probability in zip(DEAL_STAGES, _DEAL_LABELS, _PROBABILITY, strict=True)
)
_SUPPORT = tuple(
    (str(number), label, {"ticketState": "CLOSED" if label == "Closed" else "OPEN", "isClosed": str(label == "Closed").lower()})
    for number, label in enumerate(("New", "Waiting on contact", "Waiting on us", "Closed"), 1)
)
PIPELINES = {
    "deals": (Pipeline("default", "Sales Pipeline", _SALES),),
    "tickets": (Pipeline("0", "Support Pipeline", _SUPPORT),),
}
