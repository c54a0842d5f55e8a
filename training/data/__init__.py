"""From an archive of pictures to aligned chips, splits and contact sheets."""
