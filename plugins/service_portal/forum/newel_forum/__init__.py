"""Forum: boards, threads and posts, with accepted answers, moderation and search."""
