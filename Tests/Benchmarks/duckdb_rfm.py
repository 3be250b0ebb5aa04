"""CSV -> clean -> RFM in DuckDB, the definitions of Tests/Benchmarks/transactions.json.

usage: duckdb_rfm.py FILE.csv[.gz]|CLEAN.arrow
"""
import sys
import duckdb
from figures import tell

file = sys.argv[1]
db = duckdb.connect(config={"threads": 2})
if file.endswith(".arrow"):
    import pyarrow as pa
    table = pa.ipc.open_file(pa.memory_map(file)).read_all().select(["invoice", "quantity", "at", "price", "customer"])
    db.register("clean", table)
else:
    db.execute("""
    CREATE TABLE raw AS SELECT * FROM read_csv(?, header=true, delim=',', quote='"', escape='"',
      columns={'invoice':'VARCHAR','stock':'VARCHAR','description':'VARCHAR','quantity':'INTEGER','at':'TIMESTAMP',
               'price':'DECIMAL(12,3)','customer':'VARCHAR','country':'VARCHAR'})
    """, [file])
    db.execute("""
    CREATE TABLE clean AS SELECT DISTINCT * FROM raw
    WHERE customer IS NOT NULL AND NOT starts_with(invoice, 'C') AND quantity > 0 AND price > 0
    """)
db.execute("""
CREATE TABLE rfm AS
WITH days AS (SELECT customer, CAST("at" AS DATE) AS day, sum(quantity * price) AS spend FROM clean GROUP BY ALL),
     firsts AS (SELECT customer, min(day) AS first, max(day) AS last, count(*) - 1 AS frequency, sum(spend) AS revenue FROM days GROUP BY customer),
     repeats AS (SELECT d.customer, avg(d.spend) AS monetary FROM days d JOIN firsts f ON d.customer = f.customer AND d.day > f.first GROUP BY d.customer),
     orders AS (SELECT customer, count(DISTINCT invoice) AS orders FROM clean GROUP BY ALL)
SELECT f.customer, f.frequency, f.last - f.first AS recency, (SELECT max(last) FROM firsts) - f.first AS age,
       coalesce(r.monetary, 0) AS monetary, o.orders, f.revenue
FROM firsts f JOIN orders o USING (customer) LEFT JOIN repeats r USING (customer)
""")
sums = db.execute("SELECT count(*), sum(frequency), sum(recency), sum(age), sum(orders), sum(revenue), sum(monetary) FROM rfm").fetchone()
tell("duckdb " + duckdb.__version__, db.execute("SELECT count(*) FROM clean").fetchone()[0], *sums)
