"""Knowledge: articles with versions, review and audience, found by full text and offered while a request is typed."""
