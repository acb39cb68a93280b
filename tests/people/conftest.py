import pytest

from doorward.people.drivers.exact_matcher import ExactMatcher
from doorward.people.service.recogniser import Recogniser
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.people.office import Office, made_up_names


@pytest.fixture
def office(database: Database, clock: SteppingClock, vault: Vault) -> Office:
    return Office(database, clock, vault, Recogniser(vault, ExactMatcher), made_up_names())
