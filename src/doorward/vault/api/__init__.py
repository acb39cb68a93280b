"""The vault's REST routes."""

from doorward.vault.api import keys, photos

ROUTES = (photos.routes, keys.routes)
