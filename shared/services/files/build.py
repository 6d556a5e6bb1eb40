"""Files: uploads, their processing after the message was sent, and their sweep."""

from dataclasses import dataclass

from shared.config import Settings
from shared.ports import Ports
from shared.services.admission.build import Basis
from shared.services.files.attachment_processing import AttachmentProcessing
from shared.services.files.attachments import Attachments
from shared.services.files.upload_quota import UploadQuota
from shared.services.files.upload_sweep import UploadSweep


@dataclass(frozen=True, slots=True, kw_only=True)
class FileServices:
    """Uploads, their processing after the message was sent, and their sweep."""

    attachments: Attachments
    processing: AttachmentProcessing
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
    processing = AttachmentProcessing(
        reader=basis.reader,
        messages=ports.messages,
        blobs=ports.blobs,
        images=ports.images,
        quota=quota,
    )
    sweep = UploadSweep(blobs=ports.blobs, quota=quota, clock=ports.clock)
    return FileServices(attachments=attachments, processing=processing, sweep=sweep)
