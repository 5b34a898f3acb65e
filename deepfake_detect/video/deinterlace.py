"""Interlaced frames -> frames whose lines are all of one moment, by FFmpeg's filter bwdif.

bwdif (a motion-adaptive filter in the line of yadif and the BBC's w3fdif) keeps what stands still at full height, and
fills in the lines of moving parts from the lines above and below and from the frames before and after. To weave the
two fields as they are would comb every moving face, to take one field would halve the height of still ones.
"""

from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

# Of codecs that know nothing of fields, the container's word is all there is. Others say it of every frame, and are
# right where the container is not.
_FIELDS_UNKNOWN = frozenset("ffv1 ffvhuff huffyuv lagarith magicyuv png rawvideo utvideo v210 v308 v410".split())
_PARITIES = {2: "tff", 3: "bff", 4: "tff", 5: "bff"}  # by AVFieldOrder; which field is shown first


def field_order(frame: VideoFrame, context: VideoCodecContext) -> str | None:
    """Which field of a frame comes first, as bwdif names it: "auto", "tff" or "bff"; None for a progressive frame."""
    if frame.interlaced_frame:
        return "auto"
    return _PARITIES.get(context.field_order) if context.name in _FIELDS_UNKNOWN else None


def deinterlaced(before: VideoFrame | None, frame: VideoFrame, after: VideoFrame | None, parity: str) -> VideoFrame:
    """One frame without its interlacing, at its full height.

    Args:
        before, after: its neighbours in time, None where there is none. One of another shape is left out.
        parity: see `field_order`.

    Raises:
        av.FFmpegError: the filter does not take such frames.
    """
    graph = Graph()
    graph.threads = 1
    source = graph.add(
        "buffer", video_size=f"{frame.width}x{frame.height}", pix_fmt=frame.format.name, time_base="1/1000",
        pixel_aspect="1/1", colorspace=str(frame.colorspace), range=str(frame.color_range),
    )  # fmt: skip
    graph.link_nodes(source, graph.add("bwdif", f"mode=send_frame:deint=all:parity={parity}"), graph.add("buffersink"))
    graph.configure()
    shape = frame.width, frame.height, frame.format.name
    row = [f for f in (before, frame, after) if f is not None and (f.width, f.height, f.format.name) == shape]
    first = row[0] is frame
    # At both ends of what it is given, bwdif goes by the lines above and below alone, as is right; of a single frame it
    # does nothing. A copy in place of a missing neighbour would pass for a picture that stands still, and stay combed.
    for shown in row if len(row) > 1 else row * 2:
        graph.vpush(shown)
    graph.vpush(None)
    if not first:
        graph.vpull()
    return graph.vpull()
