"""Runs a script of this folder in an isolated Python, which finds only this folder and what is installed.

    python -I launch.py train.py REQUEST.json

Isolated, Python takes nothing from the working folder, the user's site or PYTHON* variables, nor from the folder of
the script; but these scripts import each other.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

if __name__ == "__main__":
    script = str(FOLDER / Path(sys.argv[1]).name)
    sys.path.insert(0, str(FOLDER))
    sys.argv = [script, *sys.argv[2:]]
    runpy.run_path(script, run_name="__main__")
