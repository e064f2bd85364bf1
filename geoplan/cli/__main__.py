"""``python -m geoplan.cli``."""

from geoplan.cli import main

if __name__ == "__main__":
    main()
