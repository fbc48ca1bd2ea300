"""What staff reach: the API for programs and the pages for people; holds the keystore."""

from flask import Flask
from sqlalchemy import Engine

from privacy.keystore import Keystore
from signals.clock import Clock
from signals.routing import Router
from signals.settings import Settings
from signals.web.openapi import ProblemApi


def register_desk(
    app: Flask,
    api: ProblemApi,
    *,
    settings: Settings,
    clock: Clock,
    engine: Engine,
    router: Router,
    keystore: Keystore,
) -> None:
    """Put the staff side on the application."""
    from signals.audit import AuditLog
    from signals.staff import GuessThrottle
    from signals.web.admin.api import admin_api
    from signals.web.admin.approval_pages import approval_pages
    from signals.web.admin.channel_api import channel_api
    from signals.web.admin.channel_pages import channel_admin
    from signals.web.admin.import_pages import import_pages
    from signals.web.admin.pages import admin_pages
    from signals.web.desk.absence_pages import absence_pages
    from signals.web.desk.account_pages import account_pages
    from signals.web.desk.account_shared import party_here
    from signals.web.desk.api import staff_api
    from signals.web.desk.carried import Carrier
    from signals.web.desk.channel_pages import channel_pages
    from signals.web.desk.context import EXTENSION, DeskContext, fenced_sessions
    from signals.web.desk.door_pages import door_pages
    from signals.web.desk.escalation_pages import escalation_pages
    from signals.web.desk.handover_api import handover_api
    from signals.web.desk.handover_pages import handover_pages
    from signals.web.desk.letters.api import letter_api
    from signals.web.desk.letters.pages import letter_pages
    from signals.web.desk.limit_api import limit_api
    from signals.web.desk.limit_pages import limit_pages
    from signals.web.desk.officer_api import officer_api
    from signals.web.desk.officer_pages import officer_pages
    from signals.web.desk.pages import desk_pages
    from signals.web.desk.referral_api import referral_api
    from signals.web.desk.referral_pages import referral_pages
    from signals.web.desk.round_pages import round_pages
    from signals.web.desk.search_pages import search_pages
    from signals.web.desk.settings_pages import settings_pages
    from signals.web.desk.sign_in_pages import sign_in_pages
    from signals.web.desk.team_api import team_api
    from signals.web.desk.team_pages import team_pages

    app.extensions[EXTENSION] = DeskContext(
        settings=settings,
        clock=clock,
        engine=engine,
        sessions=fenced_sessions(engine),
        keystore=keystore,
        audit=AuditLog(keystore.secret("audit")),
        router=router,
        throttle=GuessThrottle(clock, engine, keystore.secret("guesses")),
        carrier=Carrier(clock=clock, secret=keystore.secret("carried")),
    )
    for calls in (staff_api, letter_api, handover_api, referral_api, officer_api, team_api, admin_api):
        api.register_blueprint(calls)
    api.register_blueprint(limit_api)
    api.register_blueprint(channel_api)
    app.register_blueprint(channel_admin)
    of_roles = (officer_pages, approval_pages, admin_pages, import_pages, referral_pages)
    of_teams = (team_pages, settings_pages, absence_pages)
    of_channels = (channel_pages, escalation_pages, limit_pages)
    beside = (letter_pages, search_pages, round_pages, handover_pages)
    ways_in = (sign_in_pages, door_pages)
    for pages in (desk_pages, *ways_in, account_pages, *of_teams, *of_roles, *of_channels, *beside):
        app.register_blueprint(pages)
    app.jinja_env.globals["passkeys_here"] = lambda: party_here() is not None
