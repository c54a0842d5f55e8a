"""Usage: SEMBLANCE_URL=... SEMBLANCE_KEY=... python example.py ada-1.jpg today.jpg."""

import sys

from semblance_client import Client, Problem

reference, probe = sys.argv[1:]
with Client() as semblance:
    try:
        semblance.enroll("ada", [reference])
        answer = semblance.verify("ada", probe, fmr=1e-4)
    except Problem as problem:
        sys.exit(f"{problem.code}: {problem.detail}")
    print(answer.model_dump_json(include={"identity", "verified"}))
