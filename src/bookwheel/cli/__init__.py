"""The command line: one file a command; it parses and prints, nothing else. It
starts at `bookwheel.cli.main.main`.
"""
