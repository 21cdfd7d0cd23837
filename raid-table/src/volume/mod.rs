//! An assembled array in userspace, degraded too.
