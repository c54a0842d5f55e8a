"""How good an artifact is: error rates, calibration, a report."""
