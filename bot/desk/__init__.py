"""The script desk: a scene is played out with several characters, line by line. Nothing here reaches an audience."""
