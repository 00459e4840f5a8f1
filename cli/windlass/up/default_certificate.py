"""The certificate that Traefik shows where it has no better one.

Nobody is meant to trust it. Without it Traefik makes one of its own at every reload, and looking for an RSA key takes
some 100 ms (40 to 400) of a core: nearly all of the time from a changed route to its first answer.
"""

from datetime import UTC, datetime
from pathlib import Path

from windlass.up.atomic_file import write_private

_NAME = "windlass.invalid"
_END = datetime(9999, 12, 31, tzinfo=UTC)
"""For a certificate without a good end (RFC 5280, 4.1.2.5)."""


def keep_default_certificate(path: Path) -> None:
    """Let `path` hold the certificate and its key, in PEM; one that is there stays."""
    if not path.exists():
        write_private(path, _certificate())


def _certificate() -> str:
    # Imported here: it is made once in an installation's life, and 6 MiB of memory to whoever has it loaded.
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key  # noqa: PLC0415 - as said
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - as said
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as said
        Encoding,
        NoEncryption,
        PrivateFormat,
    )
    from cryptography.x509 import (  # noqa: PLC0415 - as said
        CertificateBuilder,
        DNSName,
        Name,
        NameAttribute,
        SubjectAlternativeName,
        random_serial_number,
    )
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 - as said

    key = generate_private_key(SECP256R1())
    name = Name([NameAttribute(NameOID.COMMON_NAME, _NAME)])
    certificate = (
        CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(random_serial_number())
        .not_valid_before(datetime.now(UTC))
        .not_valid_after(_END)
        .add_extension(SubjectAlternativeName([DNSName(_NAME)]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (certificate.public_bytes(Encoding.PEM) + private).decode()
