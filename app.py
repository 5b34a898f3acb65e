"""Starts the web page: `python app.py`, see `python app.py --help`. What it shows and answers lies in page/."""

import sys

from page.app import main

if __name__ == "__main__":
    sys.exit(main())
