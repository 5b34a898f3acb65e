"""Fakes made from photographs: self-blended images and face swaps, by OpenCV.

Both lay a face over a face through a soft mask. The mask is drawn in the frame of the ArcFace landmark
template (Deng et al. 2019) and warped onto the picture, so its shape does not depend on how large or how
tilted the face is. Nothing outside the warped frame is ever written.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from deepfake_detect.atomic_files import atomic_write
from deepfake_detect.errors import PictureError
from deepfake_detect.face.finder import FaceFinder
from deepfake_detect.face.found import FoundFace
from deepfake_detect.picture.decode import open_picture
from train.data import DataError

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP"}

FRAME_SIDE = 160  # the 112 x 112 template with room for the mask's blurred edge
TEMPLATE = np.array([(62.29, 58.70), (97.53, 58.50), (80.03, 78.74), (65.55, 99.37), (94.73, 99.20)])
ELLIPSE_AXES = np.array([36.0, 45.0])  # half axes from brow to chin, inside the hair and the ears
SWAP_BLUR = 5.0  # sigma, in the frame

# Shift, resize and ratios as in Shiohara & Yamasaki's published code; colours milder, lest a model learn tints alone.
MAX_SHIFT = (3.4, 1.7)  # across and down, in the frame
MAX_ZOOM = 0.05
MAX_CHANNEL_SHIFT = 12  # of 255
BLEND_RATIOS = (0.25, 0.5, 0.75, 1, 1, 1)
GREY_SATURATION = 12  # mean HSV saturation, 0..255, under which a picture counts as black and white


def self_blend(picture: np.ndarray, face: FoundFace, rng: np.random.Generator) -> np.ndarray:
    """A self-blended image (Shiohara & Yamasaki, CVPR 2022): the face laid over itself, slightly changed.

    The source is the same face in other colours and another sharpness, resized and moved by a few percent;
    an elastically deformed, blurred mask of random strength blends it in. The paper recolours the source or
    the target; here it is always the source, so that the picture around the face stays as it was.

    Args:
        picture: [H, W, 3] uint8 RGB, 0..255; not written to.
        face: a face of that picture.
        rng: the only source of randomness.

    Returns:
        A new array [H, W, 3] uint8 RGB, 0..255.

    Raises:
        ValueError: the face lies outside the picture.
    """
    region, to_region = _region(face, picture)
    source = _resharpen(_recolour(picture[region], rng), rng)
    source = _warp(source, _jitter(to_region, rng), source.shape)
    mask = _elastic(_ellipse(face, ELLIPSE_AXES * rng.uniform(0.8, 1.1, 2)), rng)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(2, 7)) * np.float32(rng.choice(BLEND_RATIOS))
    return _blend(picture, region, source, _warp(mask, to_region, source.shape, cv2.BORDER_CONSTANT))


def face_swap(
    target: np.ndarray,
    target_face: FoundFace,
    donor: np.ndarray,
    donor_face: FoundFace,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Lay the donor's face over the target's, as early face-swap programs did.

    The donor is aligned by an affine map fitted to the five landmarks, brought to the target's mean and
    standard deviation in CIELAB under the mask (Reinhard et al. 2001), and blended through a soft ellipse.

    Args:
        target: [H, W, 3] uint8 RGB, 0..255; not written to.
        target_face: the face to replace.
        donor: [H', W', 3] uint8 RGB, 0..255.
        donor_face: the face to take.
        rng: varies the mask's size, shape and softness and the donor's sharpness, for training; without it the swap
            is always the same.

    Returns:
        A new array [H, W, 3] uint8 RGB, 0..255.

    Raises:
        ValueError: the target's face lies outside its picture.
    """
    region, to_region = _region(target_face, target)
    shape = target[region].shape
    onto = np.array(target_face.landmarks) - (region[1].start, region[0].start)
    # A donor far larger than the target is averaged down first: interpolation alone would alias.
    shrink = min(1.0, 1.4 * _scale(_similarity(donor_face.landmarks, onto)))
    donor = cv2.resize(donor, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    points = np.column_stack([np.array(donor_face.landmarks) * shrink, np.ones(len(onto))])
    align = np.linalg.lstsq(points, onto, rcond=None)[0].T
    source, mask, blur = _warp(donor, align, shape), _ellipse(target_face, ELLIPSE_AXES), SWAP_BLUR
    if rng is not None:
        source = _resharpen(source, rng) if rng.random() < 0.5 else source
        mask, blur = _elastic(_ellipse(target_face, ELLIPSE_AXES * rng.uniform(0.8, 1.1, 2)), rng), rng.uniform(2, 7)
    mask = _warp(mask, to_region, shape, cv2.BORDER_CONSTANT)
    source = _match_colours(source, target[region], (mask > 0.5).astype(np.uint8))
    return _blend(target, region, source, cv2.GaussianBlur(mask, (0, 0), blur * _scale(to_region)))


def pose_distance(face: FoundFace, other: FoundFace) -> float:
    """How far the landmarks of two faces lie apart once one is laid over the other, as root mean square in pixels of
    the 112 x 112 landmark template: 2 is alike, 10 is another pose."""
    here, there = (_applied(_similarity(f.landmarks, TEMPLATE), f.landmarks) for f in (face, other))
    return float(np.sqrt(np.mean(np.sum((here - there) ** 2, axis=1))))


def _applied(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.column_stack([np.array(points), np.ones(len(points))]) @ matrix.T


def _similarity(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Least-squares similarity [2, 3] between two sets of points [N, 2], solved in complex numbers."""
    z, w = (np.asarray(p, dtype=float) @ (1, 1j) for p in (points, onto))
    a = np.vdot(z - z.mean(), w - w.mean()) / np.vdot(z - z.mean(), z - z.mean()).real
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _scale(similarity: np.ndarray) -> float:
    return float(np.linalg.norm(similarity[:, 0]))


def _region(face: FoundFace, picture: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray]:
    """The part of a picture that a face's frame covers, and the map from the frame to that part."""
    to_picture = _similarity(TEMPLATE, face.landmarks)
    corners = np.array([(x, y, 1) for x in (0, FRAME_SIDE) for y in (0, FRAME_SIDE)]) @ to_picture.T
    left, top = np.clip(np.floor(corners.min(0)), 0, picture.shape[1::-1]).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)), 0, picture.shape[1::-1]).astype(int)
    if right - left < 2 or bottom - top < 2:
        raise ValueError("The face lies outside the picture.")
    return (slice(top, bottom), slice(left, right)), to_picture - [[0, 0, left], [0, 0, top]]


def _warp(image: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...], border=cv2.BORDER_REFLECT_101) -> np.ndarray:
    return cv2.warpAffine(image, matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR, borderMode=border)


def _ellipse(face: FoundFace, axes: np.ndarray) -> np.ndarray:
    """The mask in the frame [FRAME_SIDE, FRAME_SIDE] float32: 1 on the face, 0 elsewhere."""
    nose = _similarity(face.landmarks, TEMPLATE) @ (*face.landmarks[2], 1)
    # The nose of a head turned aside lies nearer to the far cheek; the ellipse keeps away from that edge.
    centre = FRAME_SIDE / 2 - np.array([np.clip(nose[0] - TEMPLATE[2, 0], -8, 8), 0])
    centre, axes = (tuple(round(float(v) * 16) for v in pair) for pair in (centre, axes))
    mask = np.zeros((FRAME_SIDE, FRAME_SIDE), np.float32)
    return cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, cv2.FILLED, cv2.LINE_8, 4)


def _elastic(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deform by noise drawn on a coarse grid, far cheaper than blurring noise drawn for every pixel."""
    noise = rng.uniform(-6, 6, (7, 7, 2)).astype(np.float32)
    x, y = cv2.split(cv2.resize(noise, (FRAME_SIDE, FRAME_SIDE), interpolation=cv2.INTER_CUBIC))
    grid = np.arange(FRAME_SIDE, dtype=np.float32)
    return cv2.remap(mask, x + grid, y + grid[:, None], cv2.INTER_LINEAR)


def _recolour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change hue, saturation, value, contrast and the channels' levels; a grey picture stays grey."""
    hue, saturation, value = rng.uniform(-2, 2), rng.uniform(0.85, 1.15), rng.uniform(0.9, 1.1)
    contrast, channels = rng.uniform(0.85, 1.15), rng.uniform(-MAX_CHANNEL_SHIFT, MAX_CHANNEL_SHIFT, 3)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    if cv2.mean(hsv)[1] < GREY_SATURATION:
        hue, channels = 0, channels.mean()
    levels = np.arange(256.0)[:, None]
    tables = np.hstack([(levels + hue) % 180, levels * saturation, levels * value])
    image = cv2.cvtColor(cv2.LUT(hsv, _table(tables)), cv2.COLOR_HSV2RGB)
    return cv2.LUT(image, _table((levels - 128) * contrast + 128 + np.ones(3) * channels))


def _table(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)[None]


def _resharpen(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lose detail by going through a smaller size, or exaggerate it by an unsharp mask."""
    coarser, factor, amount = rng.random() < 0.5, rng.uniform(1.3, 2.5), rng.uniform(0.3, 1)
    if coarser:
        size = tuple(max(2, round(side / factor)) for side in image.shape[1::-1])
        return cv2.resize(cv2.resize(image, size, interpolation=cv2.INTER_AREA), image.shape[1::-1])
    return cv2.addWeighted(image, 1 + amount, cv2.GaussianBlur(image, (0, 0), 2), -amount, 0)


def _jitter(to_region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A small resize about the face's centre and a small shift, as a map [2, 3]."""
    zoom = 1 + rng.uniform(-MAX_ZOOM, MAX_ZOOM)
    shift = rng.uniform(-1, 1, 2) * MAX_SHIFT * _scale(to_region)
    centre = to_region @ (FRAME_SIDE / 2, FRAME_SIDE / 2, 1)
    return np.column_stack([np.eye(2) * zoom, centre * (1 - zoom) + shift])


def _match_colours(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Reinhard's colour transfer, with statistics taken where the mask is set."""
    lab, goal = (cv2.cvtColor(i.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for i in (source, target))
    mean, deviation = (v.ravel() for v in cv2.meanStdDev(lab, mask=mask))
    goal_mean, goal_deviation = (v.ravel() for v in cv2.meanStdDev(goal, mask=mask))
    gain = np.minimum(goal_deviation / np.maximum(deviation, 1e-3), 1.2)  # more would amplify noise
    lab = ((lab - mean) * gain + goal_mean).astype(np.float32)
    return np.rint(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255).astype(np.uint8)


def _blend(picture: np.ndarray, region: tuple[slice, slice], source: np.ndarray, mask: np.ndarray) -> np.ndarray:
    blended = picture.copy()
    blended[region] = cv2.blendLinear(source, np.ascontiguousarray(picture[region]), mask, 1 - mask)
    return blended


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that `run` reads."""
    parser.add_argument("target", type=Path, metavar="TARGET", help="picture whose largest face is changed")
    parser.add_argument("--donor", type=Path, metavar="PICTURE", help="swap in the largest face of this one")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=f"to write: {', '.join(FORMATS)}")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of a self-blend, 0 or more (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Make one fake and write it to `args.out`, whole or not at all.

    Returns:
        Exit status: 0, or 2 after one sentence on standard error.
    """
    try:
        _check(args)
        target, face = _open(args.target)
        if args.donor:
            fake = face_swap(target, face, *_open(args.donor))
        else:
            fake = self_blend(target, face, np.random.default_rng(args.seed))
        _save(fake, args.out)
    except ValueError as error:  # PictureError, or a face that lies outside its picture
        print(f"python -m train blend: {error}", file=sys.stderr)
        return 2
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.seed < 0:
        raise DataError("--seed: Use 0 or a larger number.")
    if args.out.suffix.lower() not in FORMATS:
        raise DataError(f"{args.out}: The format is told by the name's end; use {', '.join(FORMATS)}.")
    if args.out.exists() and any(p.exists() and args.out.samefile(p) for p in (args.target, args.donor) if p):
        raise DataError(f"{args.out}: This would overwrite the photograph that the fake is made from.")


def _open(path: Path) -> tuple[np.ndarray, FoundFace]:
    try:
        picture = open_picture(path)
    except PictureError as error:
        raise PictureError(error.code, f"{path}: {error}") from None
    faces = FaceFinder().find(picture)
    if not faces:
        raise PictureError("no_face", f"{path}: No face was found in this picture.")
    return picture, faces[0]


def _save(picture: np.ndarray, path: Path) -> None:
    kind = FORMATS[path.suffix.lower()]
    options = {"quality": 92, "subsampling": 0} if kind == "JPEG" else {}
    try:
        with atomic_write(path) as partial:
            Image.fromarray(picture).save(partial, kind, **options)
    except (OSError, ValueError) as error:  # ValueError: more pixels on a side than the format allows
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: The picture cannot be written: {reason}.") from None
