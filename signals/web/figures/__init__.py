"""Released figures for coordinators, and for everybody where a setting says so: pages, calls, open data."""

from flask import Flask
from sqlalchemy import Engine

from signals.clock import Clock
from signals.settings import Settings
from signals.web.http.openapi import ProblemApi


def register_figures(
    app: Flask, api: ProblemApi, *, settings: Settings, clock: Clock, engine: Engine
) -> None:
    """Put the released figures on the application; a process without a desk has them only when public."""
    from signals.web.figures.api import figures_api
    from signals.web.figures.context import EXTENSION, Doorkeeper, make_context
    from signals.web.figures.open_data import open_data
    from signals.web.figures.pages import figure_pages

    doorkeeper = None
    if settings.serves_staff:
        from signals.web.figures.own_pages import own_figures_pages
        from signals.web.staff_kit.auth import admit, csrf_field, recognise

        doorkeeper = Doorkeeper(admit=admit, recognise=recognise, csrf_field=csrf_field)
        app.register_blueprint(own_figures_pages)
    app.extensions[EXTENSION] = make_context(settings, clock, engine, doorkeeper)
    api.register_blueprint(figures_api)
    app.register_blueprint(figure_pages)
    app.register_blueprint(open_data)
