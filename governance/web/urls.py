"""Doors that belong to no audience: signing in, preferences, the log's files, explanations."""

from django.urls import path

from governance.web import health, open_pages, preferences, sessions

urlpatterns = [
    path(".well-known/gpc.json", open_pages.global_privacy_control, name="gpc"),
    path("healthz/live", health.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
    path("sign-in/", sessions.sign_in, name="sign-in"),
    path("sign-out/", sessions.sign_out, name="sign-out"),
    path("role/", sessions.change_role, name="role"),
    path("demo/persona/", sessions.look_through, name="persona"),
    path("theme/", preferences.choose_theme, name="theme"),
    path("language/", preferences.choose_language, name="language"),
    path("verify", open_pages.verify, name="verify"),
    path("verify.html", open_pages.verify_file, name="verify-file"),
    path("log", open_pages.log_page, name="log"),
    path("log/", open_pages.log_page),
    path("public/log/", open_pages.log_page),
    path("log/<path:name>", open_pages.log_file, name="log-file"),
    path("problems/<slug:slug>", open_pages.problem, name="problem"),
    path("problems/", open_pages.problem_list, name="problems"),
]
