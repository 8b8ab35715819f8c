"""What kind of image some bytes are, by how they begin: a file's name does not always say it."""

from __future__ import annotations


def kind(picture: bytes) -> str:
    """The media type, "" for anything that is not an image that books may hold."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if picture.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if picture.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP" else ""
