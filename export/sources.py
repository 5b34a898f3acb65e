"""Where the pictures of the reports come from, and on what terms: for the model card and the weights' licence."""

from deepfake_detect.report.evaluation_texts import SOURCES

# Origin and terms by source, as far as they are known.
TERMS = {
    "aaf": ("All-Age-Faces", "research"),
    "celeba-hq": ("CelebA-HQ", "non-commercial research"),
    "celebdf": ("Celeb-DF v2", "research"),
    "ciplab": ("Real and Fake Face Detection, CIPLAB at Yonsei University", "non-commercial"),
    "dfdc": ("Deepfake Detection Challenge, Meta", "research, under the challenge's terms"),
    "ffpp": ("FaceForensics++, c23", "research, after sign-up"),
    "governors": (
        "official and press portraits, Wikimedia Commons and governments",
        "mostly government works and Wikimedia Commons",
    ),
    "inswapper": ("FFHQ, and swaps made with inswapper_128", "non-commercial"),
    "lfw-faceswap": ("Labeled Faces in the Wild, and face swaps made from it", "research"),
    "modern-t2i": ("pictures by GPT-4o, Imagen 3, Grok, FLUX.1-dev, Stable Diffusion 2 and 3.5", "not stated"),
    "officials": (
        "official and press portraits, Wikimedia Commons and governments",
        "mostly government works and Wikimedia Commons",
    ),
    "photo-game": ("photographs and pictures by Midjourney, Firefly and others of a guessing game", "not stated"),
    "scut": ("SCUT-FBP5500", "research"),
    "sd14": ("portraits generated with Stable Diffusion 1.4", "not stated"),
    "sd21": ("SDFD, FG 2024: portraits generated with Stable Diffusion 2.1", "cite SDFD"),
    "sd3": ("portraits generated with Stable Diffusion 3", "CC0 1.0"),
    "sfhq": ("Synthetic Faces High Quality (SFHQ): StyleGAN2", "MIT"),
    "sfhq-t2i": ("Synthetic Faces High Quality, text to image (SFHQ-T2I)", "MIT"),
    "speakers": ("pages of conferences and teams", "rights with the photographers; research only"),
    "speakers-asia": ("pages of conferences", "rights with the photographers; research only"),
    "stylegan": ("“140k real and fake faces”: FFHQ and StyleGAN", "FFHQ CC BY-NC-SA 4.0, samples CC BY-NC 4.0"),
    "stylegan2": ("FFHQ, and faces generated with StyleGAN2", "FFHQ CC BY-NC-SA 4.0; mixed"),
    "stylegan2-nvidia": ("samples of StyleGAN2", "NVIDIA, non-commercial"),
    "stylegan3": ("faces generated with StyleGAN3", "not stated"),
    "tpdne-unsplash": ("Unsplash, and thispersondoesnotexist", "not stated"),
    "unsplash-men": ("Unsplash", "Unsplash's licence"),
    "utkface": ("UTKFace", "non-commercial research"),
    "web-portrait": ("portraits collected from the web", "unknown; research only"),
    "youtube-faces": ("YouTube Faces, Tel Aviv University: frames of interviews", "research"),
}
SPLITS = ("train", "val", "test", "cross")
LICENCE_NAME = "research-non-commercial"


def name_of(source: str) -> str:
    """What a source is called: "dfdc" -> "DFDC"."""
    return SOURCES.get(source, (source, ""))[0]


def data_table(balance: dict) -> list[str]:
    """Lines of a table: every source's pictures by split, real and fake, with its terms.

    Args:
        balance: {split: {source: {"real": count, "fake": count}}}, from the audit's report.
    """
    lines = [f"| source | what it shows | {' | '.join(SPLITS)} | origin | terms |", "|" + "---|" * (4 + len(SPLITS))]
    for source in sorted({source for split in SPLITS for source in balance.get(split, {})}):
        counts = (balance.get(split, {}).get(source, {}) for split in SPLITS)
        cells = [f"{count.get('real', 0)} / {count.get('fake', 0)}" if count else "" for count in counts]
        shows = SOURCES.get(source, ("", ""))[1]
        origin, terms = TERMS.get(source, ("", "not stated"))
        lines.append(f"| {' | '.join([source, shows, *cells, origin, terms])} |")
    return lines


def licence_text(balance: dict) -> str:
    """LICENSE.md of the model repository: what the weights may be used for, and why."""
    rows = []
    for source in sorted(balance["train"]):
        origin, terms = TERMS.get(source, (name_of(source), "not stated"))
        rows.append(f"- {source}: {origin}. Terms: {terms}.")
    return "\n".join(
        [
            "# Licence of the weights",
            "",
            "The files `model.onnx`, `onnx/model.onnx` and `onnx/model_quantized.onnx` may be used **for research and "
            "for non-commercial purposes only**. They were trained on pictures from these sources and inherit their "
            "terms, each of which has to be kept:",
            "",
            *rows,
            "",
            "The code that trains and serves them, and `resize.mjs` in this repository, are under Apache-2.0. The "
            "weights come without any warranty.",
        ]
    )  # fmt: skip
