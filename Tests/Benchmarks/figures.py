"""What every tool tells of its result, as one JSON line; compare.py holds them together."""
import json, sys


def tell(tool, clean_rows, customers, frequency, recency, age, orders, revenue, monetary):
    """Sums over the customers; `age` is the days from the first purchase to the last day of the data."""
    json.dump({"tool": tool, "clean_rows": int(clean_rows), "customers": int(customers), "frequency": int(frequency), "recency": int(recency),
               "age": int(age), "orders": int(orders), "revenue": round(float(revenue), 2), "monetary": round(float(monetary), 2)}, sys.stdout)
