"""What is said about the measured figures, for the page, the model card and the reports: names of sources, terms,
limits."""

from deepfake_detect.report.sentences import CAUTION

NO_REPORT = "How often this model is wrong cannot be shown: no report on it lies in this project's folder reports/."
FOREIGN_REPORT = (
    "How often this model is wrong is not known: the report in this project's folder reports/ is of another model "
    "file, and its figures are not shown here."
)
DAMAGED_REPORT = "How often this model is wrong cannot be shown: the report in the folder reports/ cannot be read."
STATES = {
    "clean": "as the file is",
    "web": "saved again as a web page does it, at most 768 pixels and JPEG quality 60",
    "hard": "saved again as a messenger does it, at most 512 pixels and JPEG quality 40",
}
THOROUGH = (
    "Counted as “Not sure” is, too, a picture whose verdict a small change of a face turns round, such as saving it "
    "again."
)
CRITERIA_LABEL = "All that was asked of the detector beforehand, met, missed or not measured"
GLOSSARY = (
    "**AUC**: how often a fake gets a higher score than a photograph, both drawn at random; 1 is perfect, 0.5 is a "
    "coin. **ECE**: how far the stated chance is off on average; 0.05 means 5 points in 100. **Balanced accuracy**: "
    "the mean of the photographs and the fakes that are told rightly. **Macro**: the mean of all sources."
)
ROUNDING = "Good figures are cut off rather than rounded up, rates of error never rounded down."
ALL_PICTURES, MEAN_OF_SOURCES = "All pictures", "Mean of the sources"
# What the sources of the reports are: name, and what their pictures show.
SOURCES = {
    "aaf": ("All-Age-Faces", "photographs of people of all ages, most of them Asian"),
    "celeba-hq": ("CelebA-HQ", "photographs of celebrities"),
    "celebdf": ("Celeb-DF v2", "frames of videos of celebrities, untouched and with swapped faces"),
    "ciplab": ("CIPLAB", "portraits, and portraits in which people exchanged parts of the face with Photoshop"),
    "dfdc": ("DFDC", "frames of videos of the Deepfake Detection Challenge, untouched and with swapped faces"),
    "ffpp": ("FaceForensics++", "frames of videos, untouched and with faces swapped or reenacted by five methods"),
    "governors": ("Governors", "official and press portraits of politicians"),
    "inswapper": (
        "Inswapper",
        "photographs from the collection FFHQ, and the same kind with faces swapped by the program inswapper",
    ),
    "lfw-faceswap": (
        "LFW face swaps",
        "photographs of Labeled Faces in the Wild, and the same kind with a face swapped in",
    ),
    "modern-t2i": (
        "Newest generators",
        "scenes with people by GPT-4o, Imagen 3, Grok, FLUX.1, Stable Diffusion 2 and 3.5, and photographs",
    ),
    "officials": ("Officials", "official and press portraits of politicians, many of them retouched"),
    "photo-game": (
        "Photo game",
        "pictures by Midjourney, Firefly and others from a guessing game, and its photographs",
    ),
    "scut": ("SCUT-FBP5500", "beauty and identity photographs"),
    "sd14": ("Stable Diffusion 1.4", "generated portraits, all of blonde women"),
    "sd21": ("Stable Diffusion 2.1", "generated portraits of all kinds of people"),
    "sd3": ("Stable Diffusion 3", "generated portraits of all kinds of people and places"),
    "sfhq": ("SFHQ", "faces that StyleGAN2 made after paintings and computer graphics"),
    "sfhq-t2i": ("SFHQ-T2I", "portraits of very varied people by SDXL, FLUX.1 and DALL-E 3"),
    "speakers": ("Speakers", "portraits of speakers and staff from pages of conferences and teams"),
    "speakers-asia": ("Speakers in Asia", "portraits of speakers from pages of conferences in Asia"),
    "stylegan": ("StyleGAN", "photographs from the collection FFHQ, and faces generated after them"),
    "stylegan2": ("StyleGAN2", "photographs from the collection FFHQ, and faces of StyleGAN's successor"),
    "stylegan2-nvidia": ("StyleGAN2 samples", "faces that StyleGAN2's authors published"),
    "stylegan3": ("StyleGAN3", "faces generated with StyleGAN3"),
    "tpdne-unsplash": (
        "This person does not exist",
        "photographs from the site Unsplash, and StyleGAN2's faces of the site thispersondoesnotexist",
    ),
    "unsplash-men": ("Men of Unsplash", "photographs of men from the site Unsplash"),
    "utkface": ("UTKFace", "photographs of people of all ages, with age, gender and race noted"),
    "web-portrait": ("Web portraits", "portrait photographs found on the web"),
    "youtube-faces": ("YouTube Faces", "frames of interviews and speeches, many of them of poor quality"),
}
# Classes, and kinds of fakes and of photographs (train/kinds.py).
CLASSES = {"real": "real photographs", "fake": "fakes"}
KINDS = {
    "swap_or_reenactment": "swapped or reenacted faces",
    "gan": "faces by a GAN",
    "diffusion": "pictures by a diffusion model",
    "edited": "edited faces",
    "portrait": "portraits",
    "snapshot": "snapshots",
    "video_frame": "video frames",
    "other": "of unknown kind",
}
COUNTS_CAPTION = "What was said of the pictures, with the 95 % interval of each share"
KINDS_CAPTION = "Fakes by kind: AUC against all photographs in every state; verdicts on the files as they are"
PHOTOGRAPHS_CAPTION = "Photographs by kind: false alarms in every state; verdicts on the files as they are"
GROUPS_CAPTION = "False alarms by age, gender and race as the collection notes them"
LIMITS = f"""- {CAUTION} Never let it alone decide about a person: not about a job, a grade, an account, a report to
  the police or the truth of what somebody says.
- Not for pictures without a face, drawings, or forgeries outside the face: it was made for faces.
- Not for proving that a picture is real. A fake of a kind it has not met can pass as “Real”.
- Not for telling who is shown: it recognises nobody."""


def limits() -> list[str]:
    """LIMITS as sentences, one a line."""
    return [line.removeprefix("- ") for line in LIMITS.replace("\n  ", " ").splitlines()]
