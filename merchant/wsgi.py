"""The web part's entrance."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
os.environ.setdefault("MERCHANT_PART", "web")

application = get_wsgi_application()
