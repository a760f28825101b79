"""The two ways a certificate fails: it is not one, or what it says was not confirmed."""

from __future__ import annotations


class BadCertificate(ValueError):
    """The data does not have the form of a certificate.

    Attributes:
        what: what is wrong.
        where: the place inside the data, such as `enclosures[0].lhs`; or "".
    """

    def __init__(self, what: str, where: str = "") -> None:
        self.what, self.where = what, where
        super().__init__(f"{where}: {what}" if where else what)


class NotConfirmed(Exception):
    """A statement of the certificate that this checker could not confirm, or found to be false."""
