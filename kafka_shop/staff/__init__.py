"""The floor of the admin's pages: what the models of every room have in common for staff. The rooms' own are in their `admin.py`.

Each list must answer at once on a table of millions of rows: rows are found and dated along indexes (`searching.py`, `periods.py`), and are
counted up to a limit only (`lists.py`).
"""
