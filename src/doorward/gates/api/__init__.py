"""The gates' REST routes."""

from doorward.gates.api import edge, plan, watch

ROUTES = (edge.routes, plan.routes, watch.routes)
