"""Pages to begin, sign in, and look after one's own account; `ROUTES` is all of them."""

from doorward.people.pages import account, entering

STATIC = {"people": "doorward.people.pages"}
ROUTES = (entering.routes, account.routes)

__all__ = ["ROUTES", "STATIC"]
