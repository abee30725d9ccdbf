"""Side-by-side measurements: `python -m benchmarks NAME [--json out.json]`.

Each benchmark is a module with a `measure() -> Report`. A figure that compares two ways of doing something times them
in turns within one run, so that a busy machine slows both.
"""
