//! The command line of raid-table.
