"""Makes an installed tree fit to be shipped: drops what is never imported, and compiles the rest.

In: folders, as arguments; the image build calls it (the Lambda base image has Python, but no `find`). Out: the same
folders without tests, stubs, headers and sources of what is compiled already, each module with bytecode that stays valid
whatever the files' dates are.
"""

import compileall
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

FOLDERS = {"tests", "test", "__pycache__", "bin"}
ENDINGS = {".pyi", ".pxd", ".pyx", ".h", ".c", ".cpp"}


def slim(root: Path) -> bool:
    """Drop and compile under one folder; whether every module compiled."""
    for path in sorted(root.rglob("*")):
        if path.is_dir() and path.name in FOLDERS and (path.name != "bin" or path.parent == root):
            shutil.rmtree(path)
        elif path.suffix in ENDINGS and path.is_file():
            path.unlink()
    mode = PycInvalidationMode.UNCHECKED_HASH
    return bool(compileall.compile_dir(root, quiet=1, workers=0, invalidation_mode=mode))


if __name__ == "__main__":
    done = [slim(Path(name)) for name in sys.argv[1:]]
    sys.exit(0 if all(done) else "a module did not compile")
