"""The governed row of the benchmarks, once bare and once watched by a peer."""

from django.db import models


class Bare(models.Model):
    """A row whose change is the act."""

    name = models.TextField()
    state = models.TextField()
    number = models.IntegerField()

    class Meta:
        app_label = "bench"


class Watched(models.Model):
    """The same row, registered with django-auditlog."""

    name = models.TextField()
    state = models.TextField()
    number = models.IntegerField()

    class Meta:
        app_label = "bench"
