"""Programs behind the commands of the Makefile. Start with `install.py`: it makes what `make run` needs."""
