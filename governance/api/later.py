"""Views whose code is read when somebody first asks for them, not at every start of a process."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string
from rest_framework.views import APIView


class Later:
    """A view named by its path. The personnel directory's library takes 0.6 s of a processor."""

    # As Django REST framework says of every view of its own: it checks sessions' tokens itself.
    csrf_exempt = True

    def __init__(self, path: str) -> None:
        """Name a view by module and class; a test of each door finds a name that is none."""
        self._path = path
        # What writers of the API's document ask of every view.
        self.initkwargs: dict[str, object] = {}

    @property
    def cls(self) -> type[APIView]:
        """The view's class, as Django REST framework calls it."""
        found: type[APIView] = import_string(self._path)
        return found

    def __call__(self, request: HttpRequest, *args: Any, **words: Any) -> HttpResponseBase:  # noqa: ANN401
        """Answer as the view does."""
        answer: HttpResponseBase = self.cls.as_view()(request, *args, **words)
        return answer
