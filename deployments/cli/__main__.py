"""Run the command line as `python -m deployments.cli`."""

import sys

from deployments.cli.rim import main

sys.exit(main())
