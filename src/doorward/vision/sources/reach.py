"""What one video needs from outside, opened or named before its decoder's cage closes."""

import contextlib
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from doorward.vision.decoding.cage import SHUT, Openings
from doorward.vision.decoding.kernel import IOCTL_DEVICE, READ_FILE, WRITE_FILE, Opened
from doorward.vision.sources.wire import Order

# Containers that hold their own pictures; playlists are left out, since they make us fetch other files.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,m4v,mjpeg,flv,asf,ogg,gif"
)
# What the C library reads to turn a camera's name into its address.
NAME_FILES = tuple(
    Path("/etc", name)
    for name in ("hosts", "resolv.conf", "nsswitch.conf", "host.conf", "gai.conf", "services")
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the demuxer finds the video, how it is told, and what stays open for it."""

    address: str
    options: dict[str, str] = field(default_factory=dict)
    form: str | None = None
    openings: Openings = SHUT
    waits: bool = True


def reach_of(order: Order) -> Reach:
    """A file is opened here and now; a device or the network is left open by name. `OSError` for no file."""
    if order.kind == "rtsp":
        return _network(order.where)
    if order.kind == "camera":
        return _device(Path(order.where))
    handle = os.open(order.where, os.O_RDONLY | os.O_CLOEXEC)
    only = {"fd": str(handle), "protocol_whitelist": "fd", "format_whitelist": FORMATS}
    return Reach("fd:", only, waits=False)


def _network(address: str) -> Reach:
    # Asked once while files are still open, so that the libraries that resolve names are loaded.
    with contextlib.suppress(OSError, ValueError):
        socket.getaddrinfo(urlsplit(address).hostname, None)
    only = {"rtsp_transport": "tcp", "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls,udp,crypto"}
    files = tuple(Opened(path) for path in NAME_FILES)
    return Reach(address, only, openings=Openings(files, network=True))


def _device(path: Path) -> Reach:
    group = path.stat().st_gid
    device = Opened(path, READ_FILE | WRITE_FILE | IOCTL_DEVICE)
    return Reach(str(path), form="v4l2", openings=Openings((device,), group=group))
