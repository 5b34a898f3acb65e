"""What drove a score: an occlusion map of one face crop ("Visualizing and Understanding Convolutional Networks",
Zeiler & Fergus, ECCV 2014), and the crop coloured by it.

Each patch in turn is covered with the crop's mean colour, a flat square as in that paper. A blurred copy as the cover
(Fong & Vedaldi, ICCV 2017) would leave the colours and shades of a patch in place, and soft edges are no gain: on the
portraits of `examples/` the flat square moved the score least on average over all patches, so that the map shows the
lack of the patch rather than the look of the cover.
"""

import numpy as np
from PIL import Image

from deepfake_detect.model.onnx_model import Model
from deepfake_detect.model.scoring import crop_logits

CELLS = 7  # a side: 49 patches and the bare crop are two runs of the model
PATCH = 2  # cells on a patch's side, so that neighbouring patches overlap by half
FAINTEST = 1.0  # log-odds; a map whose largest value is smaller is drawn paler, or noise would look like evidence
STRONGEST = 0.65  # opacity of the largest value
# Orange and blue: every common kind of colour blindness tells them apart (the ends of ColorBrewer's PuOr and RdBu).
TOWARDS_FAKE, TOWARDS_REAL = (230, 97, 1), (5, 113, 176)
MIDDLE_GREY = (190, 190, 190)  # of a face, as the legend shows it

CAPTION = (
    "What this score reacted to: each part of the face was covered in turn and the score taken again. Orange parts "
    "speak for fake, blue ones for real, as this model sees it. It is no map of what was edited in the picture."
)


def occlusion_map(model: Model, crop: np.ndarray) -> np.ndarray:
    """How the calibrated log-odds of "fake" depend on each part of a face crop.

    One look at each covered crop, see `deepfake_detect.model.scoring.crop_logits`, and not the mean of all framings and
    mirror images by which `Detector` judges: that would mix several places of the face into one cell, and take as many
    times as long.

    Args:
        model: gives the logits and the temperature.
        crop: [S, S, 3] uint8 RGB, as `deepfake_detect.face.crop.crop_face` cuts it for this model.

    Returns:
        [CELLS, CELLS] float64, rows from the top: log-odds of the bare crop less those with the patch around that
        cell's centre covered. Positive: this part speaks for fake; negative: for real.
    """
    crops = np.concatenate([crop[None], _covered(crop)])
    logits = crop_logits(model, crops).astype(np.float64)
    log_odds = (logits[:, 1] - logits[:, 0]) / model.metadata.temperature
    return (log_odds[0] - log_odds[1:]).reshape(CELLS, CELLS)


def _covered(crop: np.ndarray) -> np.ndarray:
    """The crop [S, S, 3] once for each cell, row by row, with the patch around it covered: [CELLS ** 2, S, S, 3]."""
    size = crop.shape[0]
    centres = (np.arange(CELLS) + 0.5) * size / CELLS
    reach = PATCH * size / CELLS / 2
    spans = [slice(max(0, round(centre - reach)), round(centre + reach)) for centre in centres]
    crops = np.repeat(crop[None], CELLS**2, axis=0)
    colour = np.rint(crop.mean(axis=(0, 1)))
    for number, covered in enumerate(crops):
        covered[spans[number // CELLS], spans[number % CELLS]] = colour
    return crops


def overlay(crop: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A face crop in grey, tinted by an occlusion map; grey, because orange on skin would not be seen.

    Args:
        crop: [S, S, 3] uint8 RGB.
        heat: [G, G] log-odds, see `occlusion_map`.

    Returns:
        [S, S, 3] uint8 RGB: orange where the face speaks for fake, blue where it speaks for real, the more opaque the
        larger the value is against the map's largest (or against FAINTEST, where that is larger).
    """
    size = crop.shape[0]
    smooth = Image.fromarray(heat.astype(np.float32)).resize((size, size), Image.Resampling.BICUBIC)
    share = np.clip(np.asarray(smooth) / max(np.abs(heat).max(), FAINTEST), -1, 1)[..., None]
    grey = np.asarray(Image.fromarray(crop).convert("L"), np.float32)[..., None]
    colour = np.where(share > 0, np.array(TOWARDS_FAKE, np.float32), np.array(TOWARDS_REAL, np.float32))
    return np.rint(grey + STRONGEST * np.abs(share) * (colour - grey)).astype(np.uint8)


def legend_colours(steps: int) -> list[tuple[int, int, int]]:
    """The colours of a map (red, green, blue, 0..255) from its strongest "real" to its strongest "fake", full where
    `overlay` has them shine through."""
    colours = []
    for share in np.linspace(-1, 1, steps):
        towards, grey = np.array(TOWARDS_FAKE if share > 0 else TOWARDS_REAL), np.array(MIDDLE_GREY)
        red, green, blue = (int(part) for part in np.rint(grey + abs(share) * (towards - grey)))
        colours.append((red, green, blue))
    return colours
