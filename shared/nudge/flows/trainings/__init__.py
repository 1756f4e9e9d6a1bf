"""What a training makes, kind by kind: a file a kind, each a function of the same shape.

In: a task of the plan, one copy of the lake, the model in force. Out: bytes to publish, and whether they may be promoted.
No training knows where models are stored, nor the other kinds.
"""

from nudge.flows.trainings.task import Made, Task, Training, tasks_of

__all__ = ["Made", "Task", "Training", "tasks_of"]
