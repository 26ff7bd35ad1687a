"""All pages for people."""

from __future__ import annotations

from newel.web import pages_admin, pages_documents, pages_form, pages_forms, pages_lists, pages_preview, pages_records, pages_reports, printing

handlers = [
    *pages_lists.handlers, *pages_documents.handlers, *pages_form.handlers, *pages_forms.handlers, *pages_preview.handlers, *pages_records.handlers,
    *pages_reports.handlers, *pages_admin.handlers, *printing.handlers,
]  # fmt: skip
