"""Whoever opens the database file itself still finds no name, number, plate, code, PIN or template."""

import base64
from collections.abc import Iterator

from doorward.app.tables import METADATA
from doorward.people import service
from doorward.people.service.templates import template_bytes
from doorward.vision.faces import enrol_template
from tests.people.office import Office, near, photos

SECRETS = {
    "name": "Ada Lovelace",
    "folded name": "ada lovelace",
    "ID number": "X1234567",
    "card": "04A1B2C3",
    "plate": "BOB123",
    "label": "red van of the bakery",
    "reason": "camera broke that morning",
    "PIN": "830571",
}


def forms(value: bytes) -> Iterator[bytes]:
    yield value
    yield value.decode("latin-1").encode("utf-16-le")
    yield value.hex().encode()
    for shift in range(3):
        # The part of a base 64 text that does not depend on what stands around it.
        yield base64.b64encode(b"\0" * shift + value)[4 : -4 or None]


def everything(office: Office) -> bytes:
    with office.unit() as unit:
        rows = [row for table in METADATA.sorted_tables for row in unit.rows.execute(table.select())]
    cells = [cell for row in rows for cell in row]
    return b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)


def test_no_row_holds_anything_personal_in_any_form(office: Office) -> None:
    person_id = office.person(name=SECRETS["name"], id_number=SECRETS["ID number"])
    assert office.enrol(person_id, photos(1, 2), override_reason=SECRETS["reason"]).enrolled
    with office.unit() as unit:
        service.add_card(unit, office.vault, person_id, SECRETS["card"])
        token = service.issue_qr(unit, office.vault, person_id)
        service.set_pin(unit, office.vault, person_id, SECRETS["PIN"])
        service.add_vehicle(unit, office.vault, SECRETS["plate"], owner_id=person_id, label=SECRETS["label"])
        service.add_group(unit, "Bakers of the north")
        service.view_person(unit, office.vault, person_id, purpose="guard-check")
        service.find_by_name(unit, office.vault, SECRETS["name"])
        service.export_person(unit, office.vault, person_id, purpose="access-request")
    template = template_bytes(enrol_template([near(1, 0), near(1, 1)]))
    wanted = {what: text.encode() for what, text in SECRETS.items()} | {
        "code": token.encode(),
        "template": template[:16],
    }
    held = everything(office)
    assert all(word in held for word in (person_id.encode(), b"Bakers of the north")), "the scan sees rows"
    found = [
        what for what, value in wanted.items() for form in forms(value) if len(form) > 3 and form in held
    ]
    assert not found
