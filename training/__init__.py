"""Offline: makes and measures models."""

# First of all: it keeps OpenVINO from calling home.
import model  # noqa: F401
