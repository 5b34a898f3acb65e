"""Odd videos as cameras, phones, browsers, recorders and editors make them, all of one picture, and what each shows."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from video_coding import (
    BT601,
    BT709,
    BT2020,
    COUNT,
    FULL,
    GBR,
    HEIGHT,
    HLG,
    LIMITED,
    PQ,
    RATE,
    TAGS,
    WIDTH,
    X264,
    X265,
    Change,
    Coded,
    Odd,
    changing,
    copied,
    hdr,
    live,
    muxed,
    picture,
    several,
)


def odd_films(folder: Path) -> Iterator[Odd]:
    """Write them all, about a hundred small files."""
    base = picture()
    yield from _codecs(folder, base)
    yield from _pixel_formats(folder, base)
    yield from _colours(folder, base)
    yield from _interlaced(folder, base)
    yield from _shapes(folder, base)
    yield from _times(folder, base)
    yield from containers(folder, base)


def _codecs(folder: Path, base: np.ndarray) -> Iterator[Odd]:
    plan = [
        (".mp4", "libx264", "yuv420p", X264), (".mov", "libx264", "yuv420p", X264),
        (".mkv", "libx264", "yuv420p", X264),
        (".avi", "libx264", "yuv420p", X264 | {"bf": "0"}), (".mp4", "libx265", "yuv420p", X265),
        (".mkv", "libx265", "yuv420p", X265), (".mp4", "mpeg4", "yuv420p", {}), (".avi", "mpeg4", "yuv420p", {}),
        (".mkv", "mpeg4", "yuv420p", {"bf": "2"}), (".mkv", "mpeg2video", "yuv420p", {"bf": "2"}),
        (".mp4", "mpeg2video", "yuv420p", {}), (".mp4", "libsvtav1", "yuv420p", {"preset": "12", "crf": "10"}),
        (".webm", "libsvtav1", "yuv420p", {"preset": "12", "crf": "10"}), (".webm", "libvpx", "yuv420p", {"crf": "4"}),
        (".webm", "libvpx-vp9", "yuv420p", {"crf": "10", "cpu-used": "8"}),
        (".mp4", "libvpx-vp9", "yuv420p", {"crf": "10", "cpu-used": "8"}),
        (".avi", "mjpeg", "yuvj420p", {}), (".mov", "mjpeg", "yuvj422p", {}), (".mkv", "ffv1", "yuv420p", {}),
        (".avi", "huffyuv", "yuv422p", {}), (".avi", "ffvhuff", "yuv420p", {}), (".avi", "utvideo", "yuv420p", {}),
        (".avi", "msmpeg4v2", "yuv420p", {}), (".mkv", "snow", "yuv420p", {"strict": "-2"}),
        (".avi", "rawvideo", "bgr24", {}), (".mov", "rawvideo", "uyvy422", {}), (".mov", "v210", "yuv422p10le", {}),
        (".mov", "png", "rgb24", {}), (".avi", "magicyuv", "gbrp", {}), (".mov", "qtrle", "rgb24", {}),
        (".mov", "prores_ks", "yuv422p10le", {}), (".mkv", "prores_ks", "yuv422p10le", {}),
    ]  # fmt: skip
    for suffix, codec, form, options in plan:
        full = {"color_range": FULL} if form.startswith("yuvj") else {}
        rate = {"bit_rate": 4_000_000} if codec not in ("libx264", "libx265", "libsvtav1") else {}
        made = Coded(base, codec, form, options, tags=rate | full)
        yield Odd(muxed(folder / f"codec_{codec}_{form}{suffix}", made), base)


def _pixel_formats(folder: Path, base: np.ndarray) -> Iterator[Odd]:
    for codec, options, forms in (
        ("libx264", X264, ("yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "yuvj420p", "nv12")),
        ("libx265", X265, ("yuv444p", "yuv420p10le", "yuv422p12le", "gbrp")),
        ("libvpx-vp9", {"cpu-used": "8"}, ("yuv444p",)),
        ("ffv1", {}, ("yuv410p", "yuv411p", "yuv440p", "yuv422p16le", "gbrp16le", "bgr0")),
    ):
        for form in forms:
            tags = {"color_range": FULL} if form.startswith("yuvj") else {}
            tags |= {"colorspace": GBR} if form.startswith("gbr") else {}
            tags |= {"bit_rate": 4_000_000} if codec == "libvpx-vp9" else {}
            made = Coded(base, codec, form, options, tags=tags)
            near = 12 if form in ("yuv410p", "yuv411p") else 6  # a quarter of the colours
            yield Odd(muxed(folder / f"form_{codec}_{form}.mkv", made), base, near=near)
    grey = np.repeat(np.rint(base @ [0.299, 0.587, 0.114]).astype(np.uint8)[..., None], 3, axis=2)
    dim = np.rint(16 + grey * (219 / 255)).astype(np.uint8)  # in limited range; swscale writes grey in full range alone
    for codec, form, options, limits in (("libx264", "gray", X264, LIMITED), ("libx265", "gray10le", X265, LIMITED),
                                         ("ffv1", "gray", {}, FULL), ("ffv1", "gray16le", {}, FULL)):  # fmt: skip
        made = Coded(dim if limits == LIMITED else grey, codec, form, options, tags={"color_range": limits})
        yield Odd(muxed(folder / f"grey_{codec}_{form}.mkv", made), grey)
    clear = np.dstack([base, np.where(np.arange(WIDTH) < WIDTH // 2, 255, 64).astype(np.uint8)[None].repeat(HEIGHT, 0)])
    alpha = clear[..., 3:] / 255
    white = np.rint(base * alpha + 255 * (1 - alpha)).astype(np.uint8)
    for suffix, codec, form in (
        (".mov", "png", "rgba"), (".mov", "qtrle", "argb"), (".mov", "prores_ks", "yuva444p10le"),
        (".mkv", "ffv1", "yuva420p"), (".mkv", "ffv1", "bgra"),
    ):  # fmt: skip
        yield Odd(muxed(folder / f"alpha_{codec}_{form}{suffix}", Coded(clear, codec, form)), white)


def _colours(folder: Path, base: np.ndarray) -> Iterator[Odd]:
    for name, matrix, limits in (("601", BT601, LIMITED), ("709", BT709, LIMITED), ("709_full", BT709, FULL),
                                 ("601_full", BT601, FULL)):  # fmt: skip
        curve, primaries = TAGS[matrix]
        tags = {"colorspace": matrix, "color_range": limits, "color_trc": curve, "color_primaries": primaries}
        yield Odd(muxed(folder / f"colour_{name}.mp4", Coded(base, "libx264", "yuv444p", X264, tags=tags)), base)
    high = picture(1280, 720)
    untagged = {"colorspace": BT709}
    made = Coded(high, "libx264", "yuv420p", X264 | {"x264-params": "colormatrix=undef"}, 3, untagged)
    yield Odd(muxed(folder / "colour_high_definition.mp4", made), high, 3, 3 / RATE)
    for name, curve in (("pq", PQ), ("hlg", HLG)):
        tags = {"colorspace": BT2020, "color_range": LIMITED, "color_trc": curve, "color_primaries": 9}
        made = Coded(hdr(base, curve), "libx265", "yuv420p10le", X265, tags=tags)
        yield Odd(muxed(folder / f"hdr_{name}.mov", made), base, near=14)
        # Whose frames do not say it, the container does
        made = Coded(hdr(base, curve), "prores_ks", "yuv422p10le", {"profile": "3"}, tags=tags)
        yield Odd(muxed(folder / f"hdr_{name}_prores.mov", made), base, near=14)


def _interlaced(folder: Path, base: np.ndarray) -> Iterator[Odd]:
    fields = {"flags": "+ildct+ilme"}
    for suffix in (".mp4", ".mkv", ".mov", ".avi"):
        for order in ("tff", "bff"):
            options = X264 | {"x264-params": f"{order}=1"} | ({"bf": "0"} if suffix == ".avi" else {})
            made = Coded(base, "libx264", "yuv420p", options)
            yield Odd(muxed(folder / f"interlaced_h264_{order}{suffix}", made), base)
    for suffix, codec in ((".mkv", "mpeg2video"), (".mp4", "mpeg2video"), (".avi", "mpeg4"), (".mov", "mpeg4")):
        made = Coded(base, codec, "yuv420p", fields, tags={"bit_rate": 4_000_000})
        yield Odd(muxed(folder / f"interlaced_{codec}{suffix}", made), base)
    made = Coded(base, "prores_ks", "yuv422p10le", {"flags": "+ildct"})
    yield Odd(muxed(folder / "interlaced_prores.mov", made), base)
    large = picture(720, 576)
    for suffix in (".mov", ".avi"):
        made = Coded(large, "dvvideo", "yuv420p", count=2)
        yield Odd(muxed(folder / f"interlaced_dv{suffix}", made), picture(768, 576), 2, 2 / RATE)  # pixels of 16:15
    made = Coded(large, "libx264", "yuv420p", X264 | {"x264-params": "tff=1"}, 4)
    yield Odd(muxed(folder / "interlaced_720x576.mp4", made), large, 4, 4 / RATE)


def _shapes(folder: Path, base: np.ndarray) -> Iterator[Odd]:
    for turn in range(4):
        for mirrored in (False, True):
            shown = np.rot90(base, turn)
            shown = shown[:, ::-1] if mirrored else shown

            def hold(stream, turn=turn, mirrored=mirrored):
                stream.set_display_rotation(90 * turn, hflip=mirrored)

            made = Coded(base, "libx264", "yuv420p", X264)
            yield Odd(muxed(folder / f"turned_{90 * turn}{'_mirrored' * mirrored}.mp4", made, prepare=hold), shown)
    made = Coded(base, "libx264", "yuv420p", X264)
    skew = [50000, 9000, 0, -9000, 50000, 0, 0, 0, 1 << 30]  # by ten degrees, which is no way to hold a picture
    yield Odd(muxed(folder / "turned_10.mp4", made, prepare=lambda s: s.set_display_matrix(skew)), base)
    nothing = [0] * 9
    yield Odd(muxed(folder / "turned_nowhere.mov", made, prepare=lambda s: s.set_display_matrix(nothing)), base)
    for ratio, stored in (("2/1", (48, 64)), ("1/2", (96, 32)), ("64/45", (68, 64)), ("1000/1", (96, 64))):
        wide = Fraction(ratio) if ratio != "1000/1" else Fraction(1)  # which no camera has
        shown = picture(round(stored[0] * max(wide, 1)), round(stored[1] * max(1 / wide, 1)))
        for suffix in (".mkv", ".mp4"):
            made = Coded(
                shown, "libx264", "yuv420p", X264, tags={"sample_aspect_ratio": Fraction(ratio)}, size=stored[::-1]
            )
            yield Odd(muxed(folder / f"aspect_{ratio.replace('/', '_')}{suffix}", made), shown, near=10)
    for width, height in ((95, 63), (97, 65), (17, 16), (16, 129)):
        small = picture(width, height)
        for form, codec, options in (("yuv420p", "ffv1", {}), ("yuv444p", "libx264", X264)):
            made = Coded(small, codec, form, options)
            yield Odd(muxed(folder / f"size_{width}x{height}_{form}.mkv", made), small, near=9)


def _times(folder: Path, base: np.ndarray) -> Iterator[Odd]:
    b_frames = X264 | {"bf": "3", "preset": "medium", "x264-params": "b-adapt=0:scenecut=0"}

    def moved(to: Callable[[int], int]) -> Change:
        def change(packets: list[av.Packet]) -> list[av.Packet]:
            for packet in packets:
                packet.pts, packet.dts = to(packet.pts), to(packet.dts)
            return packets

        return change

    def made(count: int = COUNT, options: dict = X264, **more):
        return Coded(base, "libx264", "yuv420p", options, count, **more)

    yield Odd(muxed(folder / "one_frame.mp4", made(1)), base, 1, 1 / RATE)
    yield Odd(muxed(folder / "one_frame.mkv", made(1)), base, 1, 1 / RATE)
    for suffix in (".mp4", ".mkv", ".mov"):
        yield Odd(muxed(folder / f"b_frames{suffix}", made(12, b_frames)), base, 12, 12 / RATE)
    path = muxed(folder / "b_frames.avi", made(12, b_frames))  # whose times go up in the order of decoding
    yield Odd(path, base, 12, 12 / RATE)
    yield Odd(copied(path, folder / "b_frames_out_of_avi.mp4"), base, 12, 12 / RATE)
    xvid = Coded(base, "mpeg4", "yuv420p", {"bf": "2"}, 12, {"bit_rate": 4_000_000})
    yield Odd(muxed(folder / "b_frames_mpeg4.avi", xvid), base, 12, 12 / RATE)
    hevc = X265 | {"preset": "medium"}
    yield Odd(muxed(folder / "b_frames_hevc.mp4", Coded(base, "libx265", "yuv420p", hevc, 12)), base, 12, 12 / RATE)
    open_gop = b_frames | {"x264-params": "b-adapt=0:scenecut=0:open-gop=1:keyint=4"}
    yield Odd(muxed(folder / "open_gop.mp4", made(12, open_gop)), base, 12, 12 / RATE)
    refresh = X264 | {"x264-params": "intra-refresh=1:keyint=4"}
    yield Odd(muxed(folder / "intra_refresh.mp4", made(12, refresh)), base, 12, 12 / RATE)
    yield Odd(muxed(folder / "late_start.mkv", made(), change=moved(lambda t: t + 250)), base)
    early = {"avoid_negative_ts": "disabled"}
    path = muxed(folder / "early_start.mp4", made(12, b_frames), early, change=moved(lambda t: t - 5))
    yield Odd(path, base, 7, 7 / RATE)  # what is before zero is hidden by an edit list
    path = muxed(folder / "uneven.mkv", made(), change=moved(lambda t: t if t < 4 else 4 + 5 * (t - 4)))
    yield Odd(path, base, COUNT, (4 + 5 * 3 + 1) / RATE)
    yield Odd(muxed(folder / "long_sound.mp4", made(), sound=2.0), base)
    yield Odd(muxed(folder / "long_sound.mkv", made(), sound=2.0), base)
    yield Odd(muxed(folder / "sound.mov", made(), sound=0.3), base)
    yield Odd(
        muxed(folder / "sound.avi", Coded(base, "mjpeg", "yuvj420p", tags={"color_range": FULL}), sound=0.3), base
    )


def containers(folder: Path, base: np.ndarray) -> Iterator[Odd]:
    def made(count: int = COUNT):
        return Coded(base, "libx264", "yuv420p", X264, count)

    yield Odd(muxed(folder / "index_first.mp4", made(), options={"movflags": "+faststart"}), base)
    for name, flags in (("fragments", "frag_keyframe+empty_moov"), ("dash", "dash+frag_every_frame+empty_moov"),
                        ("cmaf", "cmaf+frag_every_frame"), ("hybrid", "frag_keyframe")):  # fmt: skip
        yield Odd(muxed(folder / f"{name}.mp4", made(), options={"movflags": f"+{flags}"}), base)
    for suffix, codec, options in ((".webm", "libvpx", {}), (".mkv", "libx264", X264)):
        path = folder / f"live{suffix}"
        yield Odd(live(path, Coded(base, codec, "yuv420p", options, tags={"bit_rate": 2_000_000})), base)
    path = folder / "live.avi"
    yield Odd(live(path, Coded(base, "mjpeg", "yuvj420p", tags={"color_range": FULL})), base)
    path = folder / "live.mp4"
    yield Odd(live(path, made(), options={"movflags": "+frag_every_frame+empty_moov+default_base_moof"}), base)
    yield Odd(several(folder / "several.mkv", base), base)
    yield Odd(
        changing(folder / "changing.avi", base, base[HEIGHT // 2 :]), base, frames=2 * COUNT, seconds=2 * COUNT / RATE
    )
