"""The harness of the promises in docs/reliability.md: nothing lost, nothing doubled, nothing half done."""
