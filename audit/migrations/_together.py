"""Many tables in one step of a migration; for the migrations of every part, and for nothing else."""

from django.db.migrations.operations.base import Operation


class Together(Operation):
    """Create models in the order given.

    One after the other, Django would draw all models that are related to each one anew: all of
    ours are, by their entries in the log, and laying the tables took four times as long.
    """

    def __init__(self, *steps):
        self.steps = steps

    def state_forwards(self, app_label, state):
        # Drawn once, when the first table is laid, and not before.
        state.__dict__.pop("apps", None)
        for step in self.steps:
            step.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for step in self.steps:
            step.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for step in reversed(self.steps):
            step.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self):
        return "Create " + ", ".join(getattr(step, "name", "a table") for step in self.steps)
