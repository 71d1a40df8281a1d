"""Storage of images in a picture archive: one association, a C-STORE for each (PS3.4 B), by pynetdicom."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu import A_ASSOCIATE_RJ
from pynetdicom.sop_class import SecondaryCaptureImageStorage  # pyright: ignore[reportAttributeAccessIssue]

from fetalstream.tui.export.errors import ExportError
from fetalstream.tui.export.wanted import Pacs

WAIT_S: Final = 10.0
_SUCCESS: Final = 0x0000
_WARNINGS: Final = range(0xB000, 0xC000)


def store(images: Sequence[Dataset], pacs: Pacs) -> None:
    """Store all images, and return when the archive has confirmed each of them.

    Raises:
        ExportError: the archive cannot be reached, refuses us, or refuses an image; one line that says which.
    """
    _reach(pacs)
    entity = AE(ae_title=pacs.calling_ae)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = WAIT_S
    entity.add_requested_context(SecondaryCaptureImageStorage, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    # Read as it comes: an archive that refuses us hangs up at once, and pynetdicom may then lose its reason.
    refusals: list[A_ASSOCIATE_RJ] = []

    def note_refusal(event: evt.Event) -> None:
        if isinstance(event.pdu, A_ASSOCIATE_RJ):
            refusals.append(event.pdu)

    handlers: list[Any] = [(evt.EVT_PDU_RECV, note_refusal)]
    association = entity.associate(pacs.host, pacs.port, ae_title=pacs.called_ae, evt_handlers=handlers)
    if not association.is_established:
        raise ExportError(_refusal(association, refusals, pacs))
    try:
        for number, image in enumerate(images, start=1):
            _store_one(association, image, f"image {number} of {len(images)}", pacs)
    finally:
        if association.is_established:
            association.release()


def _reach(pacs: Pacs) -> None:
    # Tried first: pynetdicom neither reports why a connection failed nor closes its socket then.
    try:
        socket.create_connection((pacs.host, pacs.port), WAIT_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExportError(
            f"no archive answers at {pacs.host}:{pacs.port} ({reason}): check --pacs, and that it is running"
        ) from error


def _store_one(association: Association, image: Dataset, which: str, pacs: Pacs) -> None:
    try:
        status = association.send_c_store(image)
    except (RuntimeError, ValueError) as error:  # the association has gone; the archive takes no such images
        raise ExportError(f"{pacs} did not take {which}: {error}") from error
    if "Status" not in status:
        raise ExportError(f"{pacs} was lost, or silent for {WAIT_S:.0f} s, at {which}")
    if status.Status != _SUCCESS and status.Status not in _WARNINGS:
        words = str(status.get("ErrorComment", "")) or "look into its log"
        raise ExportError(f"{pacs} refused {which}: status 0x{status.Status:04X}, {words}")


def _refusal(association: Association, refusals: list[A_ASSOCIATE_RJ], pacs: Pacs) -> str:
    if refusals:
        return f"{pacs} refuses us ({refusals[0].reason_str}): check --called-ae, and that it knows {pacs.calling_ae}"
    if association.acceptor.primitive is not None:
        return f"{pacs} takes no Secondary Capture images from {pacs.calling_ae}"
    return f"what answers at {pacs.host}:{pacs.port} is no DICOM archive, or did not answer in {WAIT_S:.0f} s"
