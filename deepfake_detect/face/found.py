"""One face, as the finder reports it."""

from dataclasses import dataclass, replace

from deepfake_detect.face.crop import Box


@dataclass(frozen=True)
class FoundFace:
    """One face: box (left, top, right, bottom) and landmarks in pixels of the original picture."""

    box: tuple[int, int, int, int]
    score: float  # confidence of the face finder, 0..1
    landmarks: tuple[tuple[float, float], ...]  # right eye, left eye, nose tip, right and left mouth corner
    # degrees clockwise by which the head is tilted; 0.0 where that is little, see `deepfake_detect.face.tilt`
    angle: float = 0.0
    frame: Box | None = None  # the picture inside its plain borders; None: all of it

    @property
    def side(self) -> int:
        """The longer side of the box in pixels."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


def enlarged(face: FoundFace, downscale: int, size: tuple[int, int]) -> FoundFace:
    """A face of a downscaled picture, in pixels of the whole to within `downscale`; see
    `deepfake_detect.picture.decode.Downscaled`."""

    def whole(box: Box) -> tuple:
        return tuple(min(side * downscale, longest) for side, longest in zip(box, size * 2, strict=True))

    landmarks = tuple((x * downscale, y * downscale) for x, y in face.landmarks)
    return replace(face, box=whole(face.box), landmarks=landmarks, frame=face.frame and whole(face.frame))


def moved(face: FoundFace, left: int, top: int, frame: Box) -> FoundFace:
    """A face of a part of a picture that begins at (left, top), in pixels of the picture; `frame` is that part."""
    box = face.box[0] + left, face.box[1] + top, face.box[2] + left, face.box[3] + top
    return replace(face, box=box, landmarks=tuple((x + left, y + top) for x, y in face.landmarks), frame=frame)
