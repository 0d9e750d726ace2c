"""The commands `train` and `export`: what ds_training can do, on the command line of the host."""
