import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from doorward.core.tls import VALID_FOR, ensure_certificate, fingerprint

from ..conftest import NOON

HOSTS = ["localhost", "127.0.0.1"]


def test_a_certificate_is_made_once_and_kept(tmp_path: Path) -> None:
    certificate, key = ensure_certificate(tmp_path, HOSTS, NOON)
    first = fingerprint(certificate)
    ensure_certificate(tmp_path, HOSTS, NOON + timedelta(days=1))
    assert fingerprint(certificate) == first
    assert key.stat().st_mode & 0o777 == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_it_is_made_anew_for_other_names_and_before_it_ends(tmp_path: Path) -> None:
    certificate, _ = ensure_certificate(tmp_path, HOSTS, NOON)
    first = fingerprint(certificate)
    ensure_certificate(tmp_path, [*HOSTS, "door.example"], NOON)
    second = fingerprint(certificate)
    ensure_certificate(tmp_path, [*HOSTS, "door.example"], NOON + VALID_FOR - timedelta(days=3))
    assert len({first, second, fingerprint(certificate)}) == 3
    made = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "door.example" in names.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("broken", ["tls-key.pem", "tls-certificate.pem"])
@pytest.mark.parametrize("left", ["nothing", "another's"])
def test_what_a_crash_left_behind_is_made_anew(tmp_path: Path, broken: str, left: str) -> None:
    certificate, key = ensure_certificate(tmp_path, HOSTS, NOON)
    (tmp_path / "other").mkdir()
    ensure_certificate(tmp_path / "other", HOSTS, NOON)
    other = (tmp_path / "other" / broken).read_bytes()
    (tmp_path / broken).write_bytes(b"" if left == "nothing" else other)
    ensure_certificate(tmp_path, HOSTS, NOON)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    assert key.stat().st_mode & 0o777 == 0o600
