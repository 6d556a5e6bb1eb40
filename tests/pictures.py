"""Pictures made to do harm, for tests: built here, so that none lies about as a file."""

import io

from PIL import Image

_SCAN = b"\xff\xda"
_END = b"\xff\xd9"


def scan_bomb(scans: int, *, side: int = 7_000) -> bytes:
    """Return a valid progressive JPEG of *side* x *side* pixels, its last scan *scans* times.

    Such a scan refines nothing, and a decoder goes over all of the picture for it: about 75 bytes
    cost it 4 to 50 ms at 7,000 x 7,000 pixels.
    """
    data = io.BytesIO()
    Image.new("L", (side, side), 128).save(data, "JPEG", progressive=True)
    whole = data.getvalue()
    last = whole.rindex(_SCAN)
    return whole[:last] + whole[last : -len(_END)] * scans + _END
