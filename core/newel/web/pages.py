"""All pages for people."""

from __future__ import annotations

from newel.web import pages_documents, pages_form

handlers = [*pages_documents.handlers, *pages_form.handlers]
