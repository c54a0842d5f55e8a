"""What is claimed about speed and accuracy, as commands."""

# First of all: it keeps OpenVINO from calling home.
import model  # noqa: F401
