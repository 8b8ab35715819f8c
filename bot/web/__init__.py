"""The pages and calls of the browser. server.py has the tables of routes and runs them; guard.py and auth.py stand before each.

A file of routes for each part: scenarios.py and scenario_files.py, desk.py, reading.py, stats.py, show_and_desk.py (the
two together), feeds.py (websockets). Pages are in static/<page>/; what pages share lies in static/ itself.
"""
