"""The service's addresses and one more: the least a durable upload can do."""

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from governance import urls


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """Commit one row with the bytes that came in, and say so."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_row (body) VALUES (%s)", [request.body])
    return HttpResponse(status=202)


urlpatterns = [*urls.urlpatterns, path("bench/bare", bare)]
