"""The people room's REST routes."""

from doorward.people.api import (
    account,
    api_keys,
    approvals,
    credentials,
    faces,
    groups,
    persons,
    sign_in,
    staff,
    vehicles,
    visitors,
)
from doorward.people.api.caller import authenticate_request

ROUTES = (
    persons.routes,
    faces.routes,
    credentials.routes,
    visitors.routes,
    groups.routes,
    vehicles.routes,
)
STAFF_ROUTES = (sign_in.routes, account.routes, staff.routes, api_keys.routes, approvals.routes)

__all__ = ["ROUTES", "STAFF_ROUTES", "authenticate_request"]
