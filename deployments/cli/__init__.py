"""The command line: `cryptotrader COMMAND`. One command a file; `rim` turns refusals into words and exit codes."""

from deployments.cli.rim import main

__all__ = ["main"]
