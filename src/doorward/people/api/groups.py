"""Groups over HTTP: people and vehicles granted together."""

from fastapi import Depends

from doorward.core.permissions import Permission
from doorward.people import service
from doorward.people.api.asked import GroupIn
from doorward.people.api.told import Done, GroupOut, GroupsOut
from doorward.platform.db import Unit
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/groups", tag="people")


@routes.get("", needs=Permission.PEOPLE_READ)
def list_groups(call: Call = Depends(current_call)) -> GroupsOut:
    """Every group of the site."""
    with call.reading() as unit:
        return GroupsOut.of(service.list_groups(unit))


@routes.post("", needs=Permission.PEOPLE_MANAGE)
def add_group(body: GroupIn, call: Call = Depends(current_call)) -> GroupOut:
    """Make a group."""
    return call.once(GroupOut, lambda unit: GroupOut.model_validate(service.add_group(unit, body.name)))


@routes.delete("/{group_id}", needs=Permission.PEOPLE_MANAGE)
def forget_group(group_id: str, call: Call = Depends(current_call)) -> Done:
    """Dissolve a group: what was granted to it opens for nobody any more."""

    def deed(unit: Unit) -> Done:
        service.forget_group(unit, group_id)
        return Done()

    return call.once(Done, deed)


@routes.put("/{group_id}/members/{subject_id}", needs=Permission.PEOPLE_MANAGE)
def join_group(group_id: str, subject_id: str, call: Call = Depends(current_call)) -> Done:
    """Count a person or vehicle among a group."""

    def deed(unit: Unit) -> Done:
        service.join_group(unit, subject_id, group_id)
        return Done()

    return call.once(Done, deed)


@routes.delete("/{group_id}/members/{subject_id}", needs=Permission.PEOPLE_MANAGE)
def leave_group(group_id: str, subject_id: str, call: Call = Depends(current_call)) -> Done:
    """Count them among it no more."""

    def deed(unit: Unit) -> Done:
        service.leave_group(unit, subject_id, group_id)
        return Done()

    return call.once(Done, deed)
