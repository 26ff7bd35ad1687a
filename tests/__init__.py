"""Tests that need more than one distribution, and the servers that all tests share."""
