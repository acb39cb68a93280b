"""The people room's REST routes."""

from doorward.people.api import credentials, faces, groups, persons, vehicles, visitors

ROUTES = (
    persons.routes,
    faces.routes,
    credentials.routes,
    visitors.routes,
    groups.routes,
    vehicles.routes,
)
