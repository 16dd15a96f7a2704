"""The front doors. This room alone reads the environment and turns errors into exit codes."""
