"""The console: the admin on django-unfold, and the pages of its own that staff find in it.

`site.py` is the admin site. `urls.py` lists the pages beside the models' (live home, order trace, dead-letter desk): each is a view here,
with its template in `templates/console/` and its script and style in `static/console/`, and each is for staff only. The models' own pages
are in the `admin.py` of their room.
"""
