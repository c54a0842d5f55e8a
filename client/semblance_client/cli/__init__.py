"""The command `semblance`."""
