"""`python -m ds_plugin`: the command line."""

from ds_plugin.cli import main

if __name__ == "__main__":
    main()
