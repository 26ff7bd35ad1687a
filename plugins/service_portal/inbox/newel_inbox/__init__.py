"""Mail about requests, as it comes in."""
