"""The desk's pages for people; every action works without JavaScript."""

from flask import Blueprint

desk_pages = Blueprint("desk", __name__, url_prefix="/desk", template_folder="templates")

AUTHENTICATION = "cookie"
