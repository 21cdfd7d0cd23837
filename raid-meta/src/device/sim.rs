//! A disk in memory with faults to order.
