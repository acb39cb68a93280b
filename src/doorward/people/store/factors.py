"""Second factors: authenticator secrets, recovery codes, passkeys, and what was used up."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, exists, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.people.model.staff import Passkey, Totp
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class TotpRow(Base):
    __tablename__ = "staff_totp"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    sealed_secret: Mapped[bytes]
    confirmed: Mapped[bool] = mapped_column(default=False)
    last_step: Mapped[int] = mapped_column(default=0)


class RecoveryRow(Base):
    __tablename__ = "staff_recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(index=True)
    code_hash: Mapped[bytes] = mapped_column(unique=True)


class PasskeyRow(Base):
    __tablename__ = "staff_passkeys"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    sealed_label: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SpentRow(Base):
    """A challenge that was answered; it counts no second time."""

    __tablename__ = "staff_spent_challenges"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def put_totp(rows: Rows, totp: Totp) -> None:
    forget_totp(rows, totp.account_id)
    rows.add(
        TotpRow(
            account_id=totp.account_id,
            sealed_secret=totp.sealed_secret,
            confirmed=totp.confirmed,
            last_step=totp.last_step,
        )
    )
    rows.flush()


def find_totp(rows: Rows, account_id: str) -> Totp | None:
    row = rows.scalar(select(TotpRow).where(TotpRow.account_id == account_id))
    return row and Totp(row.account_id, row.sealed_secret, row.confirmed, row.last_step)


def use_totp_step(rows: Rows, account_id: str, step: int) -> bool:
    """Whether this step was still unused; now it and all before are used, the app confirmed."""
    change = update(TotpRow).where(TotpRow.account_id == account_id, TotpRow.last_step < step)
    return bool(getattr(rows.execute(change.values(last_step=step, confirmed=True)), "rowcount", 0))


def forget_totp(rows: Rows, account_id: str) -> None:
    rows.execute(delete(TotpRow).where(TotpRow.account_id == account_id))


def put_recovery_codes(rows: Rows, account_id: str, hashes: Iterable[bytes]) -> None:
    rows.execute(delete(RecoveryRow).where(RecoveryRow.account_id == account_id))
    for code_hash in hashes:
        rows.add(RecoveryRow(account_id=account_id, code_hash=code_hash))
    rows.flush()


def use_recovery_code(rows: Rows, account_id: str, code_hash: bytes) -> bool:
    gone = delete(RecoveryRow).where(RecoveryRow.account_id == account_id, RecoveryRow.code_hash == code_hash)
    return bool(getattr(rows.execute(gone), "rowcount", 0))


def count_recovery_codes(rows: Rows, account_id: str) -> int:
    query = select(func.count()).select_from(RecoveryRow).where(RecoveryRow.account_id == account_id)
    return int(rows.scalar(query) or 0)


def add_passkey(rows: Rows, passkey: Passkey) -> None:
    rows.add(
        PasskeyRow(
            id=passkey.id,
            account_id=passkey.account_id,
            credential_id=passkey.credential_id,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
            sealed_label=passkey.sealed_label,
            made_at=passkey.made_at,
        )
    )
    rows.flush()


def find_passkey(rows: Rows, credential_id: bytes) -> Passkey | None:
    row = rows.scalar(select(PasskeyRow).where(PasskeyRow.credential_id == credential_id))
    return row and _passkey(row)


def list_passkeys(rows: Rows, account_id: str) -> list[Passkey]:
    query = select(PasskeyRow).where(PasskeyRow.account_id == account_id).order_by(PasskeyRow.made_at)
    return [_passkey(row) for row in rows.execute(query).scalars()]


def change_sign_count(rows: Rows, passkey_id: str, sign_count: int) -> None:
    rows.execute(update(PasskeyRow).where(PasskeyRow.id == passkey_id).values(sign_count=sign_count))


def change_passkey_label(rows: Rows, passkey_id: str, sealed_label: bytes) -> None:
    rows.execute(update(PasskeyRow).where(PasskeyRow.id == passkey_id).values(sealed_label=sealed_label))


def change_totp_seal(rows: Rows, account_id: str, sealed_secret: bytes) -> None:
    rows.execute(update(TotpRow).where(TotpRow.account_id == account_id).values(sealed_secret=sealed_secret))


def forget_passkey(rows: Rows, account_id: str, passkey_id: str) -> bool:
    gone = delete(PasskeyRow).where(PasskeyRow.id == passkey_id, PasskeyRow.account_id == account_id)
    return bool(getattr(rows.execute(gone), "rowcount", 0))


def forget_factors_of(rows: Rows, account_id: str) -> None:
    forget_totp(rows, account_id)
    rows.execute(delete(RecoveryRow).where(RecoveryRow.account_id == account_id))
    rows.execute(delete(PasskeyRow).where(PasskeyRow.account_id == account_id))


def has_second_factor(rows: Rows, account_id: str) -> bool:
    app = exists().where(TotpRow.account_id == account_id, TotpRow.confirmed.is_(True))
    key = exists().where(PasskeyRow.account_id == account_id)
    return bool(rows.scalar(select(or_(app, key))))


def spend(rows: Rows, digest: bytes, expires_at: datetime) -> bool:
    """Whether this challenge was unspent; now it is spent. Units are exclusive, so this cannot race."""
    if rows.scalar(select(SpentRow.digest).where(SpentRow.digest == digest)) is not None:
        return False
    rows.add(SpentRow(digest=digest, expires_at=expires_at))
    rows.flush()
    return True


def forget_spent(rows: Rows, now: datetime) -> None:
    rows.execute(delete(SpentRow).where(SpentRow.expires_at <= now))


def _passkey(row: PasskeyRow) -> Passkey:
    return Passkey(
        row.id,
        row.account_id,
        row.credential_id,
        row.public_key,
        row.sign_count,
        row.sealed_label,
        row.made_at,
    )
