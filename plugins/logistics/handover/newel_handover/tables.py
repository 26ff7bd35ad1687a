"""Proofs of delivery."""

from __future__ import annotations

from newel.store.columns import Id, Long, ScaledInt, ref
from newel.store.tables_document import Document
from piccolo.columns import Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

DEGREES = 6  # digits of a latitude or longitude: a tenth of a metre


class Proof(Table, tablename="handover_proof"):
    """Who took a delivery, when and where. signature, photo: ids of files; latitude, longitude: degrees."""

    id = Id()
    document = ref(Document, index=False)
    name = Varchar(length=120)
    signature = Long(default=None, null=True)
    photo = Long(default=None, null=True)
    latitude = ScaledInt(scale=DEGREES, default=None, null=True)
    longitude = ScaledInt(scale=DEGREES, default=None, null=True)
    given_at = Timestamptz(default=None, null=True)
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)
    uq_handover_proof = Unique(["document"])


TABLES = (Proof,)
