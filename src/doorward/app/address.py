"""Where the server is found: the origin that browsers know it by."""

from doorward.core.loopback import is_loopback
from doorward.platform.settings import Web


def origin(web: Web) -> str:
    """Where browsers find the server: as the settings say, else the address that it listens at."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    named = "localhost" if is_loopback(web.host) else host
    return web.public_url or f"{'https' if web.tls else 'http'}://{named}:{web.port}"
