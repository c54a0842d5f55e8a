"""Everything that is stored, as a stream of rows: read from one moment, checked, written.

    reading  ──> batches ──> checking      does every sealed piece open?
                    │
                    ├──────> tally         rows and hash of each table
                    └──────> writing       into an empty place, all or nothing

A batch is some rows of one table (`batches`). Backup, restore and moving to another
database are this stream with different ends.
"""
