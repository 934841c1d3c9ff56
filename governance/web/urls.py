"""Doors that belong to no audience: signing in, preferences, the log's files, explanations."""

from django.urls import path

from governance.web import (
    account_page,
    confirming,
    health,
    metrics,
    open_pages,
    passkeys,
    preferences,
    second_factor,
    sessions,
    single_sign_on,
)

urlpatterns = [
    path(".well-known/gpc.json", open_pages.global_privacy_control, name="gpc"),
    path("healthz/live", health.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("sign-in/", sessions.sign_in, name="sign-in"),
    # The library asks for these doors by its own names.
    path("sign-in/", sessions.sign_in, name="account_login"),
    path("sign-in/second/", second_factor.second_step, name="mfa_authenticate"),
    path("sign-in/passkey/", passkeys.sign_in, name="passkey"),
    path("sign-in/<slug:provider_id>/", single_sign_on.start, name="single-sign-on"),
    path(
        "sign-in/<slug:provider_id>/callback/",
        single_sign_on.callback,
        name="openid_connect_callback",
    ),
    path("account/", account_page.index, name="account"),
    path("account/confirm/", confirming.confirm, name="confirm"),
    path("account/app/", account_page.add_app, name="add-app"),
    path("account/passkey/", account_page.add_passkey, name="add-passkey"),
    path("account/codes/", account_page.make_codes, name="make-codes"),
    path("account/remove/<int:number>/", account_page.remove, name="remove-factor"),
    path("account/sessions/<uuid:session_id>/end/", account_page.end_session, name="end-session"),
    path("account/sessions/end/", account_page.end_others, name="end-others"),
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
