//! `raid-table emit`: the device-mapper tables of arrays.

use super::tally::Tally;
use crate::plan::{Options, Plan, plan};
use crate::target::{concise, plain};
use clap::{Args, ValueEnum};
use raid_meta::cli::{
    Chosen, Console, EXIT_STATUS_HELP, Exit, OutputArgs, OutputFormat, Source, SourceArgs, Style, top_level,
};
use raid_meta::record::{ArrayRecord, Record, TableRecord};

const EXAMPLES: &str = "\
Examples:
  raid-table emit disk0.img disk1.img   as dmsetup prints tables
  raid-probe /dev/sd? | raid-table -o concise | dmsetup create --concise
  raid-table --degraded --read-only -J /dev/sd[abc] | jq -r '.depends[]'";

/// How to print tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EmitFormat {
    /// NAME: START LENGTH TARGET PARAMETERS, as `dmsetup table` prints; the default on a terminal
    #[value(alias = "text")]
    Dmsetup,
    /// JSON Lines; the default elsewhere
    Json,
    /// One line for `dmsetup create --concise`
    Concise,
}

impl OutputFormat for EmitFormat {
    const TEXT: Self = Self::Dmsetup;
    const JSON: Self = Self::Json;
}

/// Print the device-mapper tables of arrays
///
/// In dependency order: the helper devices of an array, then the array. A degraded array is left out unless
/// --degraded is given, and then mapped read-only, because nothing would record what is written
/// without the missing members. dmsetup's own form can not say read-only; concise and json do.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Emit {
    /// Map arrays that miss members too, read-only
    #[arg(long)]
    degraded: bool,

    /// Map everything read-only
    #[arg(long)]
    read_only: bool,

    /// Only this array: a name, a uuid, or a volume; all unless told
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    #[command(flatten)]
    output: OutputArgs<EmitFormat>,

    #[command(flatten)]
    source: SourceArgs,
}

impl Emit {
    pub(super) fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        let source = self.source.load(console)?;
        let arrays = self.arrays(&source)?;
        let options = Options { degraded: self.degraded, read_only: self.read_only, ..Options::default() };
        let (mut tables, mut tally) = (Vec::new(), Tally::default());
        for array in arrays {
            let planned = planned(array, &source.arrays, &options, console);
            tally.add(planned.map(|planned| tables.extend(planned)));
        }
        self.print(&tables, &source.others, console)?;
        Ok(source.exit(tally.exit()))
    }

    fn arrays<'a>(&self, source: &'a Source) -> anyhow::Result<Vec<&'a ArrayRecord>> {
        match &self.array {
            Some(wanted) => Ok(vec![source.array(Some(wanted))?]),
            None => Ok(top_level(source.all_arrays()?)?),
        }
    }

    fn print(&self, tables: &[TableRecord], others: &[Record], console: &mut Console) -> anyhow::Result<()> {
        match self.output.chosen() {
            Chosen::Own(EmitFormat::Concise) if tables.is_empty() => {}
            Chosen::Own(EmitFormat::Concise) => console.text(&format!("{}\n", concise(tables)))?,
            Chosen::Own(EmitFormat::Dmsetup) | Chosen::Style(Style::Text) => {
                for line in plain(tables) {
                    console.text(&format!("{line}\n"))?;
                }
            }
            Chosen::Own(EmitFormat::Json) => print_records(tables, others, Style::Json, console)?,
            Chosen::Style(style) => print_records(tables, others, style, console)?,
        }
        Ok(())
    }
}

fn print_records(
    tables: &[TableRecord],
    others: &[Record],
    style: Style,
    console: &mut Console,
) -> anyhow::Result<()> {
    console.set_style(style);
    for record in others {
        console.print(record)?;
    }
    for table in tables {
        console.print(&Record::Table(table.clone()))?;
    }
    Ok(())
}

/// The tables of an array, and what there is to say about them; else why there are none was said.
pub(super) fn planned(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    options: &Options,
    console: &Console,
) -> Result<Vec<TableRecord>, Exit> {
    match plan(array, arrays, options) {
        Ok(Plan { tables, problems }) => {
            let format = array.format.as_deref().unwrap_or("array");
            problems.iter().for_each(|problem| console.problem(&array.name, format, problem));
            Ok(tables)
        }
        Err(error) if error.reason.is_no() => {
            console.no(&error);
            Err(Exit::No)
        }
        Err(error) => {
            console.error(&error);
            Err(Exit::BadData)
        }
    }
}
