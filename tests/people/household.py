"""The whole house with its API, three members of staff and a way to be each of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.testclient import TestClient

from doorward.app.house import House, create_house
from doorward.app.wiring import build_api
from doorward.core.errors import Unauthenticated
from doorward.core.permissions import Actor
from doorward.people.model import Basis
from doorward.people.model.roles import Role
from doorward.people.service import NewPerson, add_person
from tests.conftest import SteppingClock
from tests.people.staffroom import Staffroom, quick_passwords

HERE, EVERYWHERE = "/api/v1/sites/site_home", "/api/v1/sites/*"


class Household:
    """`ada` administrates, `bea` does too, `cyd` enrols faces; each asks by name."""

    def __init__(self, folder: Path, clock: SteppingClock) -> None:
        self.house: House = create_house(folder, clock)
        self.clock = clock
        self.room = Staffroom(self.house.database, self.house.vault, clock, quick_passwords())
        ada = self.room.administrator()[0]
        bea = self.room.colleague(ada, "bea", Role.ADMINISTRATOR)
        cyd = self.room.colleague(ada, "cyd", Role.PERSONNEL, "site_home")
        self.ids = {"ada": ada.id, "bea": bea.id, "cyd": cyd.id}
        self.api = build_api(self.house)
        self.api.state.authenticate = self._authenticate
        self._client = TestClient(self.api, base_url="https://testserver")

    def _authenticate(self, request: Request) -> Actor:
        who = self.ids.get(request.headers.get("X-Who", ""))
        if who is None:
            raise Unauthenticated("Sign in first.")
        return self.room.actor(who)

    def ask(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return self._client.request(method, path, json=body, headers={"X-Who": who}, **more)

    def done(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = self.ask(who, method, path, body, **more)
        assert answer.is_success, answer.text
        return answer.json()

    def refused(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> str:
        answer = self.ask(who, method, path, body, **more)
        assert answer.status_code == 403, answer.text
        return str(answer.json()["detail"])

    def approved(self, who: str, by: str, action: str, facts: dict[str, Any], at: str = HERE) -> str:
        """The id of a proposal that the other agreed to."""
        asked = {"action": action, "facts": facts, "reason": "as agreed on the telephone"}
        approval: str = self.done(who, "POST", f"{at}/approvals", asked)["approval_id"]
        assert self.ask(who, "POST", f"{at}/approvals/{approval}/approve").status_code == 403
        self.done(by, "POST", f"{at}/approvals/{approval}/approve")
        return approval

    def persons(self, count: int) -> Sequence[str]:
        with self.house.unit() as unit:
            return [
                add_person(unit, self.house.vault, NewPerson(name=f"Person {n}", basis=Basis.CONTRACT)).id
                for n in range(count)
            ]
