"""Pictures with Content Credentials, signed by certificates that are made here and that nobody else trusts."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deepfake_detect.picture.embedded_metadata import C2PA_TYPE

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True)
class Authority:
    """Certificates of an authority and of a signer whom it vouches for, as PEM text."""

    anchor: str
    chain: str  # the signer's, then the authority's
    key: str  # the signer's


@cache
def authority(name: str = "Example Authority", holds: timedelta = timedelta(days=365)) -> Authority:
    """An authority and a signer named “Ada Example”; `holds`: from now on, the signer's certificate."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, root_usage = _name(name, name), _usage("key_cert_sign", "crl_sign")
    root = _certificate(
        root_name, root_name, root_key.public_key(), root_key, root_key, timedelta(days=365), root_usage, authority=True
    )
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    signer = _certificate(
        _name("Ada Example", "Example Press"), root_name, key.public_key(), root_key, root_key, holds,
        _usage("digital_signature"), purpose,
    )  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    anchor, own = (each.public_bytes(serialization.Encoding.PEM).decode() for each in (root, signer))
    return Authority(anchor, own + anchor, private.decode())


def signed(
    data: bytes,
    media_type: str,
    source_type: str = "digitalCapture",
    by: Authority | None = None,
    part: bytes | None = None,
    generator: str = "Example Camera",
    remote: str = "",
) -> bytes:
    """A picture's bytes with a manifest, which says that it was created, or, where it has one already, edited.

    Args:
        source_type: IPTC's digital source type of what was created, or of what the editing added, without its address.
        part: another picture of the same type that was put into it.
        remote: address at which the manifest is said to lie, instead of in the file.
    """
    by, out = by or authority(), io.BytesIO()
    again = C2PA_TYPE in data
    done = {"action": "c2pa.edited" if again else "c2pa.created", "digitalSourceType": SOURCE_TYPE + source_type}
    manifest = {
        "claim_generator_info": [{"name": generator, "version": "1.2"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [done]}}],
    }
    settings = {"verify": {"verify_after_sign": False}, "builder": {"thumbnail": {"enabled": False}}}
    info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, by.chain.encode(), by.key.encode(), None)
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(manifest, context) as builder,
    ):
        if again:
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        if part is not None:
            builder.add_ingredient({"title": "It", "relationship": "componentOf"}, media_type, io.BytesIO(part))
        if remote:
            builder.set_no_embed()
            builder.set_remote_url(remote)
        builder.sign(signer, media_type, io.BytesIO(data), out)
    return out.getvalue()


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*allowed: str) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
        "crl_sign encipher_only decipher_only"
    ).split()
    return x509.KeyUsage(**{name: name in allowed for name in every})


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public,
    signing,
    authority_key,
    holds: timedelta,
    usage: x509.KeyUsage,
    purpose: x509.ExtendedKeyUsage | None = None,
    authority: bool = False,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + holds)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    return (builder.add_extension(purpose, critical=False) if purpose else builder).sign(signing, hashes.SHA256())
