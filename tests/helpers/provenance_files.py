"""Files that say something of themselves, for the tests of `read_claims`, and what is found in them."""

import struct
import zlib

from pictures import chunk, encoded, png
from PIL import ExifTags, Image

from deepfake_detect.picture.provenance import CODES, KINDS, MAX_LENGTH, read_claims

PICTURE = Image.new("RGB", (32, 24), (120, 90, 60))
SETTINGS = "a portrait of Ada Example\nNegative prompt: blurry\nSteps: 28, Sampler: Euler a, CFG scale: 7, Seed: 42"
AI_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
PRIVATE = ("Ada Example", "SN-4711", "Copyright holder", "51.5")


def private_exif() -> Image.Exif:
    """What a camera writes, with an owner, a serial number and a place."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "NIKON CORPORATION", "NIKON D850"
    exif[ExifTags.Base.Software], exif[ExifTags.Base.DateTime] = "Ver.1.20", "2021:05:04 08:00:00"
    exif[ExifTags.Base.Artist], exif[ExifTags.Base.Copyright] = "Ada Example", "Copyright holder"
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = "2021:05:03 14:22:10"
    inner[ExifTags.Base.BodySerialNumber], inner[ExifTags.Base.CameraOwnerName] = "SN-4711", "Ada Example"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (51.5, 30.0, 0.0)
    return exif


def exif_with(tag: int, value, inner: bool = False) -> bytes:
    exif = Image.Exif()
    (exif.get_ifd(ExifTags.IFD.Exif) if inner else exif)[tag] = value
    return exif.tobytes()


def xmp(inside: str) -> bytes:
    return (f'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>'
            f"<rdf:Description {inside}</rdf:RDF></x:xmpmeta>").encode()  # fmt: skip


def with_xmp(style: str, block: bytes) -> bytes:
    if style == "PNG":
        return png_with(text("XML:com.adobe.xmp", block.decode(), b"iTXt"))
    return encoded(PICTURE, style, **({"tiffinfo": {700: block}} if style == "TIFF" else {"xmp": block}))


def png_with(*chunks: bytes, after: bytes = b"") -> bytes:
    data = png(16, 16, 8, 0, bytes(16 * 17), b"".join(chunks))
    return data[:-12] + after + data[-12:]


def text(keyword: str, value: str, kind: bytes = b"tEXt") -> bytes:
    body = value.encode()
    rest = {b"tEXt": body, b"zTXt": b"\0" + zlib.compress(body), b"iTXt": b"\0\0en\0word\0" + body}[kind]
    return chunk(kind, keyword.encode() + b"\0" + rest)


def jumbf(inside: bytes = b"", kind: bytes = b"c2pa") -> bytes:
    """A JUMBF box as C2PA and others make it: a description of its type, then boxes."""
    described = kind + bytes.fromhex("00110010800000aa00389b71") + b"\3" + kind + b"\0"
    described = struct.pack(">I", 8 + len(described)) + b"jumd" + described
    return struct.pack(">I", 8 + len(described) + len(inside)) + b"jumb" + described + inside


def segments(box: bytes, size: int = 60_000, number: int = 1) -> bytes:
    """APP11 segments of a JPEG with a JUMBF box in pieces (ISO 19566-5, annex D)."""
    parts = [box[8:][start : start + size] for start in range(0, len(box) - 8, size)]
    bodies = [b"JP" + struct.pack(">HI", number, place) + box[:8] + part for place, part in enumerate(parts, 1)]
    return b"".join(b"\xff\xeb" + struct.pack(">H", 2 + len(body)) + body for body in bodies)


def jpeg_with(inserted: bytes) -> bytes:
    data = encoded(PICTURE, "JPEG")
    return data[:2] + inserted + data[2:]


def webp_with(kind: bytes, body: bytes) -> bytes:
    data = encoded(PICTURE, "WEBP") + kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def said(data: bytes) -> list[tuple[str, str, str]]:
    claims = read_claims(data)
    for claim in claims:
        assert (
            claim.kind in KINDS
            and claim.code in CODES
            and 0 < len(claim.text) <= MAX_LENGTH
            and claim.text.isprintable()
        )
        assert claim.text == claim.text.strip()
    return [(claim.kind, claim.source, claim.text) for claim in claims]
