"""CSV -> clean -> RFM in Polars (streaming engine), the definitions of Tests/Benchmarks/transactions.json.

usage: polars_rfm.py FILE.csv[.gz]|CLEAN.arrow
"""
import os, sys
os.environ.setdefault("POLARS_MAX_THREADS", "2")
import polars as pl
from figures import tell

file = sys.argv[1]
SCHEMA = {"invoice": pl.String, "stock": pl.String, "description": pl.String, "quantity": pl.Int32, "at": pl.Datetime("us"),
          "price": pl.Float64, "customer": pl.String, "country": pl.String}
if file.endswith(".arrow"):
    clean = pl.scan_ipc(file).select("invoice", "quantity", "at", pl.col("price").cast(pl.Float64), "customer")
else:
    clean = pl.scan_csv(file, has_header=False, skip_rows=1, schema=SCHEMA).filter(
        pl.col("customer").is_not_null() & ~pl.col("invoice").str.starts_with("C") & (pl.col("quantity") > 0) & (pl.col("price") > 0)).unique()
    clean = clean.collect(engine="streaming").lazy()
rows = clean.select(pl.len()).collect().item()
purchases = clean.with_columns(day=pl.col("at").dt.date(), spend=pl.col("quantity") * pl.col("price"))
orders = purchases.group_by("customer").agg(orders=pl.col("invoice").n_unique())
customers = (purchases.group_by("customer", "day").agg(spend=pl.col("spend").sum()).group_by("customer").agg(
    frequency=pl.len() - 1, first=pl.col("day").min(), last=pl.col("day").max(), revenue=pl.col("spend").sum(),
    opening=pl.col("spend").sort_by("day").first()))
result = (customers.join(orders, on="customer").with_columns(end=pl.col("last").max()).select(
    "customer", "frequency", "orders", "revenue", recency=(pl.col("last") - pl.col("first")).dt.total_days(),
    age=(pl.col("end") - pl.col("first")).dt.total_days(),
    monetary=pl.when(pl.col("frequency") > 0).then((pl.col("revenue") - pl.col("opening")) / pl.col("frequency")).otherwise(0.0))
    .collect(engine="streaming"))
sums = [result[name].cast(pl.Int64).sum() for name in ("frequency", "recency", "age", "orders")]
tell("polars " + pl.__version__, rows, len(result), *sums, result["revenue"].sum(), result["monetary"].sum())
