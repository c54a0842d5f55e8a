"""What a face model is: the only code that training and service share."""

import sys

# OpenVINO tells its maker, by way of an analytics company, each time it is imported, and
# leaves a number for the machine in the home folder. Without this module of its own it
# does neither, and says nothing of it.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
