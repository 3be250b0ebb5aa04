"""Leaves out the rows of a simulated shop that not every reader takes: the peers are timed on reading, not on refusing.

usage: plain.py SHOP.csv OUT.csv
"""
import re, sys

# Invoice, StockCode and Description, then a whole number, a time, a number of at most three decimals, a customer or none, a country.
ROW = re.compile(rb'[^",\n]+,[^",\n]+,(?:[^",\n]*|"(?:[^"\n]|"")*"),-?\d{1,9},\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,-?\d+(?:\.\d{1,3})?,[^",\n]*,[^",\n]+\n')
kept = left = 0
with open(sys.argv[1], "rb") as rows, open(sys.argv[2], "wb") as out:
    out.write(next(rows))
    for row in rows:
        if ROW.fullmatch(row):
            out.write(row)
            kept += 1
        else:
            left += 1
print(f"{kept:,} rows, {left:,} left out")
