"""`python -m doorward.app.reference FOLDER`."""

from argparse import ArgumentParser
from pathlib import Path

from doorward.app.reference import write

parser = ArgumentParser(prog="python -m doorward.app.reference", description="Write the reference pages.")
parser.add_argument("folder", type=Path, help="where to, such as docs/reference")
write(parser.parse_args().folder)
