"""Beyond one machine: a replica for reading, a queue on Redis, and processes that are killed. The whole install runs on this one, over sockets."""
