"""CompreFace's REST API (1.x) in front of our routes: docs/migrate.md says what differs."""
