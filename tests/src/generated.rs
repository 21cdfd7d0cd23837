//! What is generated from the code and committed: manual pages, completions, and the JSON Schema of the records.
//!
//! `make man` writes these files; a test holds the committed ones against the code.

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use raid_meta::record::Record;
use schemars::generate::SchemaSettings;
use std::io;
use std::path::PathBuf;

/// A file and what belongs in it.
#[derive(Debug)]
pub struct Generated {
    /// Path, from the top of the workspace.
    pub path: PathBuf,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Generated {
    fn new(path: impl Into<PathBuf>, bytes: Vec<u8>) -> Self {
        Self { path: path.into(), bytes }
    }
}

/// The command lines of the programs.
#[must_use]
pub fn definitions() -> Vec<Command> {
    vec![
        raid_probe::cli::Probe::command(),
        raid_meta::cli::meta::Meta::command(),
        raid_table::cli::Table::command(),
        raid_sync::cli::Sync::command(),
        raid_repair::cli::Repair::command(),
    ]
}

/// All generated files.
///
/// # Errors
/// None in practice: everything is written to memory.
pub fn all() -> io::Result<Vec<Generated>> {
    let mut files = vec![Generated::new("raid-meta/schema/records.schema.json", schema()?)];
    for definition in definitions() {
        files.extend(pages(&definition)?);
        files.extend(completions(&definition));
    }
    Ok(files)
}

/// The schema of what the programs print: every field is there. Readers ask for less.
fn schema() -> io::Result<Vec<u8>> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Record>();
    schema.insert("title".to_owned(), "A record of the RAID tools, version 1".into());
    let mut text = serde_json::to_vec_pretty(&schema)?;
    text.push(b'\n');
    Ok(text)
}

/// The page of a program, and one of each of its commands.
fn pages(definition: &Command) -> io::Result<Vec<Generated>> {
    let mut definition = definition.clone().disable_help_subcommand(true);
    definition.build();
    let mut pages = Vec::new();
    for command in std::iter::once(&definition).chain(definition.get_subcommands()) {
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        pages.push(Generated::new(format!("man/{name}.1"), page(command)?));
    }
    Ok(pages)
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .source(concat!("raid-tools ", env!("CARGO_PKG_VERSION")))
        .manual("RAID tools");
    let mut bytes = Vec::new();
    man.render_title(&mut bytes)?;
    man.render_name_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    man.render_options_section(&mut bytes)?;
    if command.get_subcommands().next().is_some() {
        man.render_subcommands_section(&mut bytes)?;
    }
    let after = command.get_after_long_help().or(command.get_after_help());
    for part in after.map(ToString::to_string).unwrap_or_default().split("\n\n") {
        section(part).to_writer(&mut bytes)?;
    }
    Ok(one_preamble(&String::from_utf8_lossy(&bytes)).into_bytes())
}

/// Each section brings the definition of the apostrophe again; once is enough.
fn one_preamble(page: &str) -> String {
    let start = page.find(".TH ").unwrap_or_default();
    let (preamble, rest) = page.split_at(start);
    format!("{preamble}{}", rest.replace(preamble, ""))
}

/// A paragraph after the options of the help: `Heading:` and indented lines become a section that keeps its lines.
fn section(text: &str) -> Roff {
    let mut roff = Roff::new();
    let Some((heading, lines)) = text.split_once(":\n") else {
        roff.control("PP", []);
        roff.text([roman(text)]);
        return roff;
    };
    roff.control("SH", [heading.to_uppercase().as_str()]);
    roff.control("nf", []);
    for line in lines.lines() {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
    roff
}

fn completions(definition: &Command) -> Vec<Generated> {
    let name = definition.get_name().to_owned();
    let files = [
        (Shell::Bash, format!("bash/{name}")),
        (Shell::Zsh, format!("zsh/_{name}")),
        (Shell::Fish, format!("fish/{name}.fish")),
    ];
    let generate = |(shell, file): (Shell, String)| {
        let mut bytes = Vec::new();
        clap_complete::generate(shell, &mut definition.clone(), &name, &mut bytes);
        Generated::new(format!("man/completions/{file}"), bytes)
    };
    files.into_iter().map(generate).collect()
}
