"""The key by which push services know this site (RFC 8292), made from the site's own key so that none is kept."""

from base64 import urlsafe_b64encode
from datetime import datetime
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid01, Vapid02

from rostra.site.settings import SiteSettings

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2 §2.4.2)
_LASTS_S = 12 * 3600  # RFC 8292 §2 allows 24 hours


def public_key(settings: SiteSettings) -> str:
    """What clients subscribe with: the uncompressed point, base64url without padding."""
    point = _key(settings).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return urlsafe_b64encode(point).rstrip(b"=").decode()


def signed(settings: SiteSettings, endpoint: str, now: datetime, *, standard: bool) -> dict[str, str]:
    """The headers that tell the service of `endpoint` who pushes: RFC 8292, or the draft that came before it."""
    parts = urlsplit(endpoint)
    claims = {
        "sub": f"mailto:{settings.contact or 'postmaster@' + settings.domain.partition(':')[0]}",
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(now.timestamp()) + _LASTS_S,
    }
    signer = (Vapid02 if standard else Vapid01)(private_key=_key(settings), conf={"no-strict": True})
    headers: dict[str, str] = signer.sign(claims)
    return headers


def _key(settings: SiteSettings) -> ec.EllipticCurvePrivateKey:
    material = HKDF(hashes.SHA256(), length=48, salt=None, info=b"rostra web push").derive(settings.key)
    return ec.derive_private_key(1 + int.from_bytes(material) % (_ORDER - 1), ec.SECP256R1())
