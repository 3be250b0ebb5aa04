"""CSV -> clean -> RFM in DuckDB, the definitions of Tests/Benchmarks/transactions.json. Prints one JSON line.

usage: duckdb_rfm.py FILE.csv [THREADS]
"""
import json, resource, sys, time
import duckdb

file, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
start = time.time()
db = duckdb.connect(config={"threads": threads})
db.execute("""
CREATE TABLE raw AS SELECT * FROM read_csv(?, header=true, delim=',', quote='"', escape='"', ignore_errors=true, strict_mode=false,
  columns={'Invoice':'VARCHAR','StockCode':'VARCHAR','Description':'VARCHAR','Quantity':'INTEGER','InvoiceDate':'TIMESTAMP',
           'Price':'DECIMAL(12,3)','Customer ID':'VARCHAR','Country':'VARCHAR'})
""", [file])
db.execute("""
CREATE TABLE clean AS SELECT DISTINCT * FROM raw
WHERE "Customer ID" IS NOT NULL AND NOT starts_with(Invoice, 'C') AND Quantity > 0 AND Price > 0
""")
db.execute("""
CREATE TABLE rfm AS
WITH days AS (SELECT "Customer ID" AS customer, CAST(InvoiceDate AS DATE) AS day, sum(Quantity * Price) AS spend FROM clean GROUP BY ALL),
     firsts AS (SELECT customer, min(day) AS first, max(day) AS last, count(*) - 1 AS frequency, sum(spend) AS revenue FROM days GROUP BY customer),
     repeats AS (SELECT d.customer, avg(d.spend) AS monetary FROM days d JOIN firsts f ON d.customer = f.customer AND d.day > f.first GROUP BY d.customer),
     orders AS (SELECT "Customer ID" AS customer, count(DISTINCT Invoice) AS orders FROM clean GROUP BY ALL)
SELECT f.customer, f.frequency, f.last - f.first AS recency, (SELECT max(last) FROM firsts) - f.first AS age,
       coalesce(r.monetary, 0) AS monetary, o.orders, f.revenue
FROM firsts f JOIN orders o USING (customer) LEFT JOIN repeats r USING (customer)
""")
row = db.execute("SELECT count(*), sum(frequency), sum(recency), sum(age), sum(orders), CAST(sum(revenue) AS DOUBLE) FROM rfm").fetchone()
clean = db.execute("SELECT count(*) FROM clean").fetchone()[0]
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "tool": "duckdb " + duckdb.__version__, "clean_rows": clean, "customers": row[0], "frequency": int(row[1]), "recency": int(row[2]),
    "age": int(row[3]), "orders": int(row[4]), "revenue": round(row[5], 3),
    "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2), "wall_seconds": round(time.time() - start, 2),
    "peak_mib": usage.ru_maxrss // 1024}))
