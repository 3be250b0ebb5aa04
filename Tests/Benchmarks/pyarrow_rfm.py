"""CSV -> clean -> RFM in pyarrow alone, the definitions of Tests/Benchmarks/transactions.json.

usage: pyarrow_rfm.py FILE.csv[.gz]|CLEAN.arrow
"""
import sys
import pyarrow as pa, pyarrow.compute as pc, pyarrow.csv as csv
from figures import tell

pa.set_cpu_count(2)
file = sys.argv[1]
TYPES = {"invoice": pa.string(), "stock": pa.string(), "description": pa.string(), "quantity": pa.int32(), "at": pa.timestamp("s"),
         "price": pa.float64(), "customer": pa.string(), "country": pa.string()}
if file.endswith(".arrow"):
    clean = pa.ipc.open_file(pa.memory_map(file)).read_all().select(["invoice", "quantity", "at", "price", "customer"])
    clean = clean.set_column(3, "price", clean["price"].cast(pa.float64()))
else:
    raw = csv.read_csv(file, read_options=csv.ReadOptions(column_names=list(TYPES), skip_rows=1, block_size=8 << 20),
                       convert_options=csv.ConvertOptions(column_types=TYPES, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True))
    kept = pc.and_(pc.and_(pc.is_valid(raw["customer"]), pc.invert(pc.starts_with(raw["invoice"], "C"))),
                   pc.and_(pc.greater(raw["quantity"], 0), pc.greater(raw["price"], 0)))
    raw = raw.filter(kept)
    clean = raw.group_by(raw.column_names).aggregate([])
purchases = pa.table({
    "customer": clean["customer"], "invoice": clean["invoice"],
    "day": clean["at"].cast(pa.timestamp("s"), safe=False).cast(pa.date32(), safe=False).cast(pa.int32()),
    "spend": pc.multiply(clean["quantity"].cast(pa.float64()), clean["price"])})
orders = purchases.group_by("customer").aggregate([("invoice", "count_distinct")])
days = purchases.select(["customer", "day", "spend"]).group_by(["customer", "day"]).aggregate([("spend", "sum")])
each = days.group_by("customer").aggregate([("day", "min"), ("day", "max"), ("day", "count"), ("spend_sum", "sum")])
opening = each.select(["customer", "day_min"]).join(
    days.rename_columns(["customer", "day_min", "opening"]), keys=["customer", "day_min"], join_type="inner")
each = each.join(opening.select(["customer", "opening"]), keys="customer").join(orders, keys="customer")
frequency = pc.subtract(each["day_count"], 1)
monetary = pc.if_else(pc.greater(frequency, 0), pc.divide(
    pc.subtract(each["spend_sum_sum"], each["opening"]), pc.max_element_wise(frequency, 1).cast(pa.float64())), 0.0)
total = lambda values: pc.sum(values).as_py()
tell("pyarrow " + pa.__version__, clean.num_rows, each.num_rows, total(frequency), total(pc.subtract(each["day_max"], each["day_min"])),
     total(pc.subtract(pc.max(each["day_max"]), each["day_min"])), total(each["invoice_count_distinct"]), total(each["spend_sum_sum"]), total(monetary))
