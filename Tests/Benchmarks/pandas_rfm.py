"""CSV -> clean -> RFM in pandas (pyarrow's reader and columns), the definitions of Tests/Benchmarks/transactions.json.

usage: pandas_rfm.py FILE.csv[.gz]|CLEAN.arrow
"""
import sys
import pandas as pd
import pyarrow as pa
from figures import tell

pa.set_cpu_count(2)
file = sys.argv[1]
NAMES = ["invoice", "stock", "description", "quantity", "at", "price", "customer", "country"]
if file.endswith(".arrow"):
    table = pa.ipc.open_file(pa.memory_map(file)).read_all().select(["invoice", "quantity", "at", "price", "customer"])
    clean = table.set_column(3, "price", table["price"].cast(pa.float64())).to_pandas(types_mapper=pd.ArrowDtype)
else:
    raw = pd.read_csv(file, engine="pyarrow", dtype_backend="pyarrow", names=NAMES, header=0,
                      dtype={"invoice": "string[pyarrow]", "stock": "string[pyarrow]", "customer": "string[pyarrow]"})
    clean = raw[raw["customer"].notna() & (raw["customer"] != "") & ~raw["invoice"].str.startswith("C") & (raw["quantity"] > 0) & (raw["price"] > 0)].drop_duplicates()
purchases = pd.DataFrame({
    "customer": clean["customer"].array, "day": clean["at"].to_numpy("datetime64[s]").astype("datetime64[D]").astype("int64"),
    "spend": (clean["quantity"] * clean["price"]).to_numpy("float64")})
orders = pd.DataFrame({"customer": clean["customer"].array, "invoice": clean["invoice"].array}).drop_duplicates().groupby("customer", sort=True).size()
days = purchases.groupby(["customer", "day"], sort=True)["spend"].sum().reset_index()
each = days.groupby("customer", sort=True).agg(
    periods=("spend", "size"), first=("day", "min"), last=("day", "max"), revenue=("spend", "sum"), opening=("spend", "first"))
frequency = each["periods"] - 1
monetary = ((each["revenue"] - each["opening"]) / frequency.where(frequency > 0)).fillna(0.0)
tell("pandas " + pd.__version__, len(clean), len(each), frequency.sum(), (each["last"] - each["first"]).sum(),
     (each["last"].max() - each["first"]).sum(), orders.sum(), each["revenue"].sum(), monetary.sum())
