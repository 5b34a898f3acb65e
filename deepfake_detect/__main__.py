"""`python -m deepfake_detect`: the command `deepfake-detect`, see `deepfake_detect.cli.judge`."""

import sys

from deepfake_detect.cli.judge import main

if __name__ == "__main__":
    sys.exit(main())
