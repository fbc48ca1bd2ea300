"""The WSGI application, by the settings of this process."""

from signals.app import create_app
from signals.settings import load_settings

app = create_app(load_settings())
