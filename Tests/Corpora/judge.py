"""Runs the collections' check_robust.py, for which a file may vanish while its bytes are counted. It looks at the folder of a program at work and asks each name it
found for its size; a program that refuses its input removes what it began to write, and in between the script ended with a FileNotFoundError instead of a
verdict.    judge.py CHECK_ROBUST ARGUMENT…"""
import os
import runpy
import sys

size_of = os.path.getsize


def size_or_nothing(path):
    try:
        return size_of(path)
    except FileNotFoundError:
        return 0


os.path.getsize = size_or_nothing
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
