"""`python -m doorward.app.reference FOLDER`."""

import sys
from pathlib import Path

from doorward.app.reference import write

write(Path(sys.argv[1]))
