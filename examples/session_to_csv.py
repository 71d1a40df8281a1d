"""Writes the readings of a session as CSV, with nothing but Python's own library.

python examples/session_to_csv.py sessions/20260131T100000Z_... readings.csv

``pandas.read_csv("readings.csv")`` reads it; ``pandas.read_sql(QUERY, database)`` needs no file between.
``fetalstream export`` writes many more columns, and Parquet.
"""

import csv
import sqlite3
import sys
from pathlib import Path

QUERY = """
SELECT stream, exam, seq, pts_seconds, plane, gestation_days,
       json_extract(header, '$.gestation.low_days') AS low_days,
       json_extract(header, '$.gestation.high_days') AS high_days,
       json_extract(header, '$.frame.spacing_mm') AS spacing_mm,
       json_extract(header, '$.notice') AS notice
FROM readings ORDER BY stream, seq
"""


def main(session: str, file: str) -> None:
    database = sqlite3.connect(f"{(Path(session) / 'session.db').resolve().as_uri()}?mode=ro", uri=True)
    rows = database.execute(QUERY)
    with Path(file).open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(column[0] for column in rows.description)
        writer.writerows(rows)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
