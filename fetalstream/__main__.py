"""Run the command line as ``python -m fetalstream``."""

import sys

from fetalstream.tui.cli import main

sys.exit(main())
