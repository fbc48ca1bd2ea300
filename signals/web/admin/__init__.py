"""What an administrator reaches, and the teams' part in it: never an address, never a signal."""
