"""What the bench compares with: each a process that answers `bench.speed.worker`'s commands."""
