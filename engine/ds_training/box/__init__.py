"""The training recipe as one archive for a machine with a GPU and no network: packed here, run there by one command."""
