"""A process of its own that reads Content Credentials; `deepfake_detect.picture.content_credentials` starts it.

c2pa-python's native library reads untrusted bytes. What could bring it down, or keep it busy without end, ends this
process and no other one. It is started by its path, so that it loads nothing of this package.

Input: one line of JSON, {"media_type": text or null, "anchors": PEM text or null}, then the file's bytes.
Output: JSON, {"store": the library's report as JSON text} or {"failed": one of "none", "unreadable", "package_missing",
"anchors_unreadable"}.
"""

import io
import json
import sys

MEMORY, SECONDS = 2**31, 20  # bytes of address space, and of processor time

OFFLINE = {
    "remote_manifest_fetch": False,
    "ocsp_fetch": False,
    "verify_trust": True,
    "verify_timestamp_trust": True,
}


def bound() -> None:
    """Limit what this process may take, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0))
    for kind, most in limits:
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, hard))
        except (ValueError, OSError):  # macOS knows no limit of address space; the clock of the parent still holds
            continue


def answer(head: bytes, data: bytes) -> dict[str, str]:
    """What is to be printed, of the first line and the rest of the input."""
    try:
        import c2pa
    except (ImportError, OSError):  # not installed, or its native library is not for this machine
        return {"failed": "package_missing"}
    asked = json.loads(head)
    trust = {"trust": {"trust_anchors": asked["anchors"]}} if asked["anchors"] else {}
    try:
        context = c2pa.Context.from_dict({"verify": OFFLINE, **trust})
    except c2pa.C2paError:
        return {"failed": "anchors_unreadable"}
    try:
        with context, c2pa.Reader(asked["media_type"], io.BytesIO(data), context=context) as reader:
            return {"store": reader.json()}
    except c2pa.C2paError.ManifestNotFound:
        return {"failed": "none"}
    except c2pa.C2paError:
        return {"failed": "unreadable"}


if __name__ == "__main__":
    bound()
    print(json.dumps(answer(sys.stdin.buffer.readline(), sys.stdin.buffer.read())))
