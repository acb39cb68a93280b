"""Keys for programs, over HTTP."""

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, Field

from doorward.core.permissions import Permission
from doorward.people.api.asked import Shape
from doorward.people.api.caller import vault_of
from doorward.people.model.api_keys import ApiKeyView
from doorward.people.service import api_keys as service
from doorward.platform.asked import Instant
from doorward.platform.paging import PageRequest, make_page, page_request
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/api-keys", tag="api-keys")

NEEDS = Permission.STAFF_MANAGE


class ApiKeyIn(Shape):
    """What the key may do at this site, until when, and from where; no network means from everywhere."""

    label: str = Field(max_length=200)
    rights: list[Permission] = Field(min_length=1)
    expires_at: Instant
    networks: list[str] = Field([], max_length=50)


class MadeKeyOut(BaseModel):
    """The token for `Authorization: Bearer ...`, shown this once."""

    key_id: str
    token: str


class ApiKeyOut(BaseModel):
    """A key without its secret; `used_at` is coarse."""

    key_id: str
    label: str
    maker_id: str
    rights: dict[str, list[Permission]]
    networks: list[str]
    expires_at: AwareDatetime
    used_at: AwareDatetime | None
    revoked: bool


class ApiKeysOut(BaseModel):
    """A page of keys."""

    items: list[ApiKeyOut]
    next_cursor: str | None


@routes.post("", needs=NEEDS, status_code=201)
def post_api_key(body: ApiKeyIn, call: Call = Depends(current_call)) -> MadeKeyOut:
    """Make a key. Its token is not kept, so this answer is not repeated."""
    with call.unit() as unit:
        key_id, token = service.make_api_key(
            unit,
            vault_of(call),
            label=body.label,
            rights={call.site_id: frozenset(body.rights)},
            expires_at=body.expires_at,
            networks=body.networks,
        )
    return MadeKeyOut(key_id=key_id, token=token)


@routes.get("", needs=NEEDS)
def get_api_keys(
    call: Call = Depends(current_call), wanted: PageRequest = Depends(page_request)
) -> ApiKeysOut:
    """The keys that the caller may revoke."""
    with call.unit() as unit:
        page = make_page(service.list_api_keys(unit, vault_of(call), wanted), wanted, lambda one: one.key.id)
    return ApiKeysOut(items=[_out(one) for one in page.items], next_cursor=page.next_cursor)


@routes.delete("/{key_id}", needs=NEEDS)
def delete_api_key(key_id: str, call: Call = Depends(current_call)) -> None:
    """End a key at once."""
    with call.unit() as unit:
        service.revoke_api_key(unit, key_id)


def _out(view: ApiKeyView) -> ApiKeyOut:
    key = view.key
    return ApiKeyOut(
        key_id=key.id,
        label=view.label,
        maker_id=key.maker_id,
        rights={site: sorted(held) for site, held in key.rights.items()},
        networks=list(key.networks),
        expires_at=key.expires_at,
        used_at=key.used_at,
        revoked=key.revoked,
    )
