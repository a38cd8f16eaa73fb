"""The trace file: its schema, its records, its writer and its reader."""
