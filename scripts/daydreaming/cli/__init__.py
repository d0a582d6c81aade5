"""What the scripts share: their options, and the check of all inputs."""
