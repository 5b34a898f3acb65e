"""What files say of themselves: files made here with every kind of it."""

import json
import struct
import zlib

import pytest
from pictures import LOSSLESS, LOSSY, chunk, encoded
from PIL import ExifTags, Image
from project import ROOT
from provenance_files import (
    AI_TYPE,
    PICTURE,
    PRIVATE,
    SETTINGS,
    exif_with,
    jpeg_with,
    jumbf,
    png_with,
    private_exif,
    said,
    segments,
    text,
    webp_with,
    with_xmp,
    xmp,
)

from deepfake_detect.picture.provenance import CAVEAT, CREDENTIALS, MADE_BY_AI, MADE_WITH_AI, Claim, read_claims

pytestmark = pytest.mark.filterwarnings(r"ignore:::PIL\..*")  # pytest shows them although the program does not


# Cameras and software


@pytest.mark.parametrize("style", ["JPEG", "MPO", "PNG", "WEBP", "TIFF", "HEIF"])
def test_the_camera_is_told_and_nothing_private(style):
    data = encoded(PICTURE, style, exif=private_exif().tobytes())
    assert said(data) == [
        ("software", "EXIF", "Ver.1.20"),
        ("camera", "EXIF", "NIKON D850"),
        ("date", "EXIF", "taken 2021-05-03 14:22:10"),
        ("date", "EXIF", "last changed 2021-05-04 08:00:00"),
    ]
    assert not any(secret in str(read_claims(data)) for secret in PRIVATE)


@pytest.mark.parametrize(("make", "model", "camera"), [
    ("Canon", "Canon EOS R5", "Canon EOS R5"), ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
    ("", "Pixel 8", "Pixel 8"), ("Leica Camera AG", "", "Leica Camera AG"),
])  # fmt: skip
def test_make_and_model_become_one_name(make, model, camera):
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = make, model
    assert said(encoded(PICTURE, "JPEG", exif=exif)) == [("camera", "EXIF", camera)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_of_both_byte_orders_is_read(order):
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8)
    entry = struct.pack(order + "HHHI4s", 1, 0x0110, 2, 4, b"X1D\0")
    assert said(encoded(PICTURE, "PNG", exif=head + entry + bytes(4))) == [("camera", "EXIF", "X1D")]


@pytest.mark.parametrize("date", ["0000:00:00 00:00:00", "    :  :     :  :  ", "2021-05-03", "2021:13:40 25:61:61"])
def test_a_date_that_is_none_is_not_told(date):
    assert said(encoded(PICTURE, "JPEG", exif=exif_with(ExifTags.Base.DateTime, date))) == []


@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
@pytest.mark.parametrize("inside", ['xmp:CreatorTool="Adobe Photoshop 25.0 (Windows)">',
                                    "><xmp:CreatorTool>Adobe Photoshop 25.0 (Windows)</xmp:CreatorTool>"])  # fmt: skip
def test_the_creator_tool_is_told(style, inside):
    assert said(with_xmp(style, xmp(inside))) == [("software", "XMP", "Adobe Photoshop 25.0 (Windows)")]


def test_what_two_places_say_alike_is_told_once():
    exif = exif_with(ExifTags.Base.Software, "GIMP 2.10")
    data = encoded(PICTURE, "JPEG", exif=exif, xmp=xmp('xmp:CreatorTool="GIMP 2.10">'))
    assert said(data) == [("software", "EXIF", "GIMP 2.10")]


# Generators


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
@pytest.mark.parametrize(("keyword", "value", "name"), [
    ("parameters", SETTINGS, "Stable Diffusion web UI"),
    ("prompt", json.dumps({"3": {"class_type": "KSampler", "inputs": {}}}), "ComfyUI"),
    ("workflow", json.dumps({"last_node_id": 9, "nodes": []}), "ComfyUI"),
    ("invokeai_metadata", json.dumps({"positive_prompt": "Ada Example"}), "InvokeAI"),
    ("sd-metadata", json.dumps({"model": "stable diffusion"}), "InvokeAI"),
    ("Dream", '"a portrait of Ada Example" -s 50 -S 42 -W 512 -H 512 -C 7.5', "InvokeAI"),
])  # fmt: skip
def test_the_settings_of_a_generator_are_told_but_not_what_was_asked_of_it(keyword, value, name, kind):
    for data in (png_with(text(keyword, value, kind)), png_with(after=text(keyword, value, kind))):
        assert said(data) == [("generator", "PNG text", f"settings of {name}")]


def test_compressed_international_text_is_read():
    body = b"parameters\0\1\0\0\0" + zlib.compress(SETTINGS.encode())
    assert said(png_with(chunk(b"iTXt", body))) == [("generator", "PNG text", "settings of Stable Diffusion web UI")]


@pytest.mark.parametrize(("keyword", "value"), [
    ("parameters", "exposure=3"), ("parameters", "Steps: to the left, Sampler: none"), ("prompt", "Say cheese"),
    ("workflow", "RAW"), ("Dream", "of summer"), ("Comment", SETTINGS), ("Author", "Ada Example"),
])  # fmt: skip
def test_the_same_keyword_from_another_program_is_no_generator(keyword, value):
    assert said(png_with(text(keyword, value))) == []


@pytest.mark.parametrize("style", ["JPEG", "WEBP"])
@pytest.mark.parametrize(("head", "encoding"), [(b"UNICODE\0", "utf-16-be"), (b"UNICODE\0", "utf-16-le"),
                                                (b"ASCII\0\0\0", "ascii")])  # fmt: skip
def test_settings_in_a_comment_are_told(style, head, encoding):
    comment = head + SETTINGS.encode(encoding)
    data = encoded(PICTURE, style, exif=exif_with(ExifTags.Base.UserComment, comment, inner=True))
    assert said(data) == [("generator", "EXIF", "settings of Stable Diffusion web UI")]


def test_settings_in_the_place_of_a_camera_are_no_camera():
    exif = Image.Exif()
    exif[ExifTags.Base.Model], exif[ExifTags.Base.Make] = 'prompt:{"1": {}}', 'workflow:{"nodes": []}'
    assert said(encoded(PICTURE, "WEBP", exif=exif)) == [("generator", "EXIF", "settings of ComfyUI")]


@pytest.mark.parametrize("name", ["NovelAI", "Midjourney v6", "DALL·E 3", "Adobe Firefly", "stable diffusion 1.5"])
def test_software_that_is_a_generator_is_called_one(name):
    assert said(encoded(PICTURE, "JPEG", exif=exif_with(ExifTags.Base.Software, name.encode()))) == [
        ("generator", "EXIF", name)
    ]
    assert said(png_with(text("Software", name, b"iTXt"))) == [("generator", "PNG text", name)]


@pytest.mark.parametrize("style", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
@pytest.mark.parametrize(("kind", "told"), [("trainedAlgorithmicMedia", MADE_BY_AI),
                                            ("compositeWithTrainedAlgorithmicMedia", MADE_WITH_AI),
                                            ("digitalCapture", None), ("trainedAlgorithmicMediaX", None)])  # fmt: skip
@pytest.mark.parametrize("form", ['Iptc4xmpExt:DigitalSourceType="{}">', "><Iptc4xmpExt:DigitalSourceType>{}</x>",
                                  "><Iptc4xmpExt:DigitalSourceType rdf:resource='{}'/>"])  # fmt: skip
def test_the_digital_source_type_is_told_where_it_means_ai(style, kind, told, form):
    data = with_xmp(style, xmp(form.format(AI_TYPE + kind)))
    assert said(data) == ([("generator", "XMP", told)] if told else [])


def test_a_caption_that_speaks_of_a_source_type_is_no_claim():
    assert said(encoded(PICTURE, "JPEG", xmp=xmp("dc:title='On trainedAlgorithmicMedia'>"))) == []


# Content Credentials


@pytest.mark.parametrize(("kind", "more"), [
    ("", ()), ("digitalCapture", ()), ("trainedAlgorithmicMedia\xff", (f"they speak of media {MADE_BY_AI}",)),
    ("compositeWithTrainedAlgorithmicMedia", (f"they speak of media {MADE_WITH_AI}",)),
])  # fmt: skip
def test_content_credentials_are_told_as_not_verified(kind, more):
    expected = [("credentials", "C2PA", text) for text in (CREDENTIALS, *more)]
    box = jumbf((AI_TYPE + kind).encode("latin-1"))
    assert said(jpeg_with(segments(box))) == expected
    assert said(png_with(chunk(b"caBX", box))) == expected
    assert said(webp_with(b"C2PA", box)) == expected
    after_odd_length = webp_with(b"JUNK", b"abc") + b"C2PA" + struct.pack("<I", len(box)) + box
    assert said(after_odd_length) == expected


def test_content_credentials_over_several_segments_are_put_together():
    kind = AI_TYPE.encode() + b"trainedAlgorithmicMedia"
    box = jumbf(bytes(70_000) + kind + bytes(100))
    pieces = segments(box, (box.index(kind) + 30) // 2)  # the second one ends in the middle of the words
    other = segments(jumbf(b"another box", b"jxyz"), number=7)
    told = [("credentials", "C2PA", text) for text in (CREDENTIALS, f"they speak of media {MADE_BY_AI}")]
    for inserted in (pieces, other + pieces, pieces + other):
        assert said(jpeg_with(inserted)) == told


@pytest.mark.parametrize("box", [jumbf(kind=b"json"), b"c2pa", b"", jumbf()[:30], b"\0" * 200])
def test_other_boxes_are_no_content_credentials(box):
    assert said(jpeg_with(segments(box + bytes(16)))) == said(png_with(chunk(b"caBX", box))) == []
    assert said(webp_with(b"C2PA", box)) == []


def test_everything_at_once_comes_with_the_weightiest_first():
    exif = private_exif()
    exif[ExifTags.Base.Software] = "Paint 1.0"
    block = xmp(f'Iptc4xmpExt:DigitalSourceType="{AI_TYPE}trainedAlgorithmicMedia">')
    data = encoded(PICTURE, "JPEG", exif=exif, xmp=block)
    data = data[:2] + segments(jumbf()) + data[2:]
    assert [kind for kind, _, _ in said(data)] == ["generator", "credentials", "software", "camera", "date", "date"]


# Nothing to tell


def test_the_examples_say_nothing_of_themselves():
    files = sorted((ROOT / "examples").glob("*.jpg"))
    assert len(files) >= 5 and all(read_claims(file.read_bytes()) == () for file in files)


@pytest.mark.parametrize(("style", "options"), [*LOSSLESS, *LOSSY])
def test_plain_files_of_every_format_say_nothing(style, options):
    assert said(encoded(PICTURE, style, **options)) == []


def test_a_claim_cannot_be_changed_and_the_caveat_is_a_sentence():
    with pytest.raises(AttributeError):
        Claim("camera", "EXIF", "X").text = "Y"
    assert CAVEAT.endswith(".") and "proves nothing" in CAVEAT
