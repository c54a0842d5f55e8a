"""deepface's REST API in front of our routes: docs/migrate.md says what differs."""
