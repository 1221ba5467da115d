"""The web application (WSGI). A wrong setting stops it at start, as it stops every command."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from kafka_shop.api.bodies import SizedBodies
from kafka_shop.entry import join_embedded_postgres

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kafka_shop.settings")
application = SizedBodies(get_wsgi_application())
call_command("check")
join_embedded_postgres()
