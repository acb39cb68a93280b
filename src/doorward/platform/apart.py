"""Settings for a site whose gallery is held by another program: of the server, and of that program itself."""

from pathlib import Path

from pydantic import BaseModel, Field, model_validator


class Section(BaseModel, frozen=True, extra="forbid"):
    """A group of settings; an unknown key stops the start."""


class Decider(Section):
    """Who holds the gallery and says who one is, where it is not this program."""

    url: str | None = Field(
        None,
        description="Where a `doorward-decider` listens; unset keeps the gallery in the server. Plain HTTP "
        "is accepted on loopback only.",
    )
    public_key: str | None = Field(
        None,
        description="Keys by which it signs and to which faces are sealed, as `doorward-decider key` shows.",
    )
    certificate: Path | None = Field(
        None,
        description="Its certificate (PEM), the only one trusted; unset trusts the machine's authorities.",
    )
    client_certificate: Path | None = Field(
        None, description="Certificate (PEM) to show to a decider that asks for one."
    )
    client_key: Path | None = Field(None, description="Private key of that certificate (PEM, mode 0600).")
    timeout_seconds: float = Field(
        1.0,
        gt=0,
        le=30,
        description="How long one request may take. Sightings wait meanwhile: keep it below the agents' "
        "`answer_seconds` (2).",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "Decider":
        if (self.url is None) != (self.public_key is None):
            raise ValueError("a decider elsewhere needs url and public_key: see docs/operate/decider.md")
        return self


class Deciding(Section):
    """For the folder of a `doorward-decider` alone: who may ask, and what is promised at least."""

    servers: tuple[str, ...] = Field(
        (),
        max_length=8,
        description="Public keys that may ask, as `doorward keys public decider` shows them.",
    )
    names: tuple[str, ...] = Field((), description="Names and addresses in the decider's own certificate.")
    client_authority: Path | None = Field(
        None, description="PEM file: only clients with a certificate of this authority are let in."
    )
    least_one_in: int = Field(
        200,
        ge=1,
        le=1_000_000_000,
        description="Least promise of an answer: at most one stranger in so many is taken for somebody, "
        "whatever the server asks for.",
    )
    requesters: int = Field(
        256,
        ge=1,
        le=65_536,
        description="How many gates and persons may have refusals to their name at once; more are refused. "
        "Each may be refused 60 times at once and once a second.",
    )
    searches_at_once: int = Field(2, ge=1, le=64, description="Requests that are answered side by side.")
    waiting: int = Field(16, ge=0, le=256, description="Requests that wait; more are told to come again.")
