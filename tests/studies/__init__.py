"""Small studies in folders of their own, on which tests run the real workflow against a scripted provider."""

from studies.inputs import Choice
from studies.study import Run, Study

__all__ = ["Choice", "Run", "Study"]
