//! Manners: what every program and every command does with help, mistakes, and input that is none. One table
//! of commands, tried with everything; a new command is one line in the table, and a test notices when it is missing.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

#[path = "manners/commands.rs"]
mod commands;
#[path = "manners/help.rs"]
mod help;
#[path = "manners/kernel.rs"]
mod kernel;
#[path = "manners/output.rs"]
mod output;
#[path = "manners/paths.rs"]
mod paths;
#[path = "manners/stdin.rs"]
mod stdin;
#[path = "manners/streams.rs"]
mod streams;
