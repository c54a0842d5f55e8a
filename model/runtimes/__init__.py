"""SavedModels at work: the same artifact on OpenVINO or on TensorFlow."""
