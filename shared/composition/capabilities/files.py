"""Files: uploads, their processing after the message was sent, and their sweep."""

from dataclasses import dataclass

from shared.composition.capabilities.basis import Basis
from shared.config import Settings
from shared.ports import Ports
from shared.services.attachments import Attachments
from shared.services.files import Files
from shared.services.upload_quota import UploadQuota
from shared.services.upload_sweep import UploadSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class FileServices:
    """Uploads, their processing after the message was sent, and their sweep."""

    attachments: Attachments
    processing: Files
    sweep: UploadSweep


def build_files(ports: Ports, settings: Settings, basis: Basis) -> FileServices:
    quota = UploadQuota(
        live=ports.live,
        uploads=ports.uploads,
        bytes_a_day=settings.upload_quota_bytes,
        most_open=settings.open_uploads,
    )
    attachments = Attachments(
        admission=basis.admission,
        reader=basis.reader,
        quota=quota,
        blobs=ports.blobs,
        images=ports.images,
        ids=ports.ids,
        scanned=settings.attachments_scanned,
    )
    processing = Files(
        reader=basis.reader,
        messages=ports.messages,
        blobs=ports.blobs,
        images=ports.images,
        quota=quota,
    )
    sweep = UploadSweep(blobs=ports.blobs, quota=quota, clock=ports.clock)
    return FileServices(attachments=attachments, processing=processing, sweep=sweep)
