import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from doorward.app.exposure import (
    CLEAR_IN_POSTGRES,
    KEYS_BESIDE_DATA,
    KEYS_ON_THE_DISK,
    require_proven_line,
    warnings_of,
)
from doorward.app.house import create_house, open_house
from doorward.app.serve import server_files
from doorward.core.errors import Denied, Invalid
from doorward.core.loopback import is_loopback
from doorward.platform.settings import Database as DatabaseSettings
from doorward.platform.settings import Settings, Web, load_settings

PHRASE = "five words that nobody guesses"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    create_house(folder).close()
    return folder


def test_a_site_is_not_made_in_a_folder_that_others_may_change(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(Invalid, match=f"chmod go-w {tmp_path}"):
        create_house(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "mode", "mended"),
    [
        (".", 0o777, "go-w"),
        (".", 0o720, "go-w"),
        ("data", 0o750, "700"),
        ("keys", 0o705, "700"),
        ("data/doorward.db", 0o640, "600"),
        ("data/objects", 0o755, "700"),
        ("data/agents", 0o711, "700"),
        ("data/agents/agent_local_x.state", 0o604, "600"),
        ("keys/keyring.json", 0o644, "600"),
        ("keys/tls-key.pem", 0o644, "600"),
        ("keys/agent_local_x.pem", 0o660, "600"),
        ("doorward.toml", 0o666, "go-w"),
    ],
)
def test_what_others_may_read_or_change_stops_the_start(
    site: Path, name: str, mode: int, mended: str
) -> None:
    place = site / name
    if not place.exists():
        (site / "data" / "agents").mkdir(mode=0o700, exist_ok=True)
        place.mkdir(exist_ok=True) if name == "data/objects" else place.touch(0o600)
    place.chmod(mode)
    with pytest.raises(Invalid, match=f"chmod {mended} {place}"):
        open_house(site)
    place.chmod(0o700)
    open_house(site).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", [".", "doorward.toml", "data", "data/doorward.db", "keys/keyring.json"])
def test_what_belongs_to_somebody_else_stops_the_start(site: Path, name: str) -> None:
    (site / "doorward.toml").touch(0o600)
    os.chown(site / name, 12345, 12345)
    with pytest.raises(Invalid, match="belongs to another user: run `chown 0 "):
        open_house(site)


def test_settings_that_hold_a_secret_are_their_owners_alone_and_a_file_of_secrets_is_advised(
    tmp_path: Path,
) -> None:
    config = tmp_path / "doorward.toml"
    config.write_text(f'[keys]\npassphrase = "{PHRASE}"\n')
    config.chmod(0o644)
    with pytest.raises(Invalid, match=f"chmod 600 {config}"):
        create_house(tmp_path)
    config.chmod(0o600)
    house = create_house(tmp_path)
    house.close()
    assert any("keys.passphrase_file" in words for words in house.warnings)


def test_a_file_of_secrets_is_read_if_it_is_its_owners_alone(tmp_path: Path) -> None:
    secret = tmp_path / "phrase"
    secret.write_text(PHRASE + "\n")
    (tmp_path / "doorward.toml").write_text(f'[keys]\npassphrase_file = "{secret}"\n')
    secret.chmod(0o644)
    with pytest.raises(Invalid, match=f"chmod 600 {secret}"):
        load_settings(tmp_path)
    secret.chmod(0o400)
    read = load_settings(tmp_path).keys.passphrase
    assert read is not None and read.get_secret_value() == PHRASE


@pytest.mark.parametrize("text", ["", "\n", "one\ntwo\n"])
def test_a_file_of_secrets_holds_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "phrase").write_text(text)
    (tmp_path / "phrase").chmod(0o600)
    (tmp_path / "doorward.toml").write_text(f'[database]\nurl_file = "{tmp_path / "phrase"}"\n')
    with pytest.raises(Invalid, match="one line"):
        load_settings(tmp_path)


def test_a_secret_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "doorward.toml").write_text('[keys]\npassphrase = "a"\npassphrase_file = "/b"\n')
    (tmp_path / "doorward.toml").chmod(0o600)
    with pytest.raises(Invalid, match="not both"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("config", "warning"),
    [
        ("", KEYS_BESIDE_DATA),
        ('[keys]\nfile = "{folder}/site/root.key"\n', KEYS_BESIDE_DATA),
        ('[keys]\nfile = "{folder}/elsewhere/deep/root.key"\n', KEYS_ON_THE_DISK),
        ('[keys]\nfolder = "{folder}/elsewhere/deep"\n', KEYS_ON_THE_DISK),
    ],
)
def test_a_root_key_beside_the_data_or_on_its_disk_is_said_at_each_start(
    tmp_path: Path, config: str, warning: str
) -> None:
    (tmp_path / "site").mkdir(mode=0o700)
    (tmp_path / "elsewhere" / "deep").mkdir(mode=0o700, parents=True)
    (tmp_path / "site" / "doorward.toml").write_text(config.format(folder=tmp_path))
    create_house(tmp_path / "site").close()
    house = open_house(tmp_path / "site")
    house.close()
    assert house.warnings[0] == warning


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg:///doorward",
        "postgresql+psycopg:///doorward?host=/run/postgresql",
        "postgresql+psycopg://u:p@127.0.0.1/doorward",
        "postgresql+psycopg://u:p@[::1]:5432/doorward",
        "postgresql+psycopg://u:p@localhost/doorward",
        "postgresql+psycopg:///doorward?host=127.0.0.1:5432,localhost:5433",
        "postgresql+psycopg://u:p@db.example/doorward?sslmode=verify-full&sslrootcert=/etc/ca.pem",
    ],
)
def test_a_database_is_reached_on_this_machine_or_by_a_proven_line(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    require_proven_line(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://u:p@192.0.2.9/doorward",
        "postgresql+psycopg://u:p@db.example/doorward?sslmode=require",
        "postgresql+psycopg://u:p@db.example/doorward?sslmode=verify-ca",
        "postgresql+psycopg://u:p@[2001:db8::1]/doorward",
        "postgresql+psycopg:///doorward?host=localhost,db.example",
        "postgresql+psycopg://u:p@localhost/doorward?hostaddr=192.0.2.9",
        "postgresql+psycopg://u:p@127.0.0.1/doorward?host=db.example",
        "postgresql+psycopg:///doorward?service=far",
        "no url at all",
    ],
)
def test_a_database_elsewhere_is_refused_without_a_proof_of_who_it_is(url: str) -> None:
    with pytest.raises(Invalid) as told:
        require_proven_line(url)
    assert "u:p" not in str(told.value)


def test_a_host_that_the_drivers_environment_names_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.example")
    with pytest.raises(Invalid, match="verify-full"):
        require_proven_line("postgresql+psycopg:///doorward")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_is_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "10.0.0.1", "fe80::1", "::ffff:10.0.0.1", "door.example", "127.1", "*"]
)
def test_plain_http_off_loopback_is_refused(site: Path, host: str) -> None:
    house = open_house(site)
    with pytest.raises(Denied, match="Plain HTTP"):
        server_files(Web(host=host, tls=False), site / "keys", house)
    house.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_a_certificate_is_made_for_names_and_not_for_everywhere(site: Path, host: str) -> None:
    house = open_house(site)
    assert server_files(Web(host=host), site / "keys", house)
    house.close()


def test_a_certificates_key_is_its_owners_alone(site: Path, tmp_path: Path) -> None:
    house = open_house(site)
    certificate, key = server_files(Web(), site / "keys", house) or (site, site)
    copy = tmp_path / "my key.pem"
    copy.write_bytes(key.read_bytes())
    copy.chmod(0o644)
    with pytest.raises(Invalid, match=r"chmod 600 '.*my key\.pem'"):
        server_files(Web(certificate=certificate, private_key=copy), site / "keys", house)
    house.close()


def test_what_lies_in_the_clear_in_postgres_is_said_at_each_start(tmp_path: Path) -> None:
    url = SecretStr("postgresql+psycopg:///doorward?host=/run/postgresql")
    with_postgres = Settings(database=DatabaseSettings(url=url))
    assert CLEAR_IN_POSTGRES in warnings_of(tmp_path, tmp_path, tmp_path, with_postgres)
    assert CLEAR_IN_POSTGRES not in warnings_of(tmp_path, tmp_path, tmp_path, Settings())
