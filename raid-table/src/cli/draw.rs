//! `raid-table draw`: the layout as a picture.

use super::DegradedArgs;
use crate::draw::{svg, text};
use clap::{Args, ValueEnum};
use raid_meta::cli::{Console, EXIT_STATUS_HELP, Exit, ExitContext, SourceArgs};

const EXAMPLES: &str = "\
Examples:
  raid-table draw disk*.img
  raid-probe /dev/sd? | raid-table draw --array md_data -o svg > layout.svg";

/// Columns of a picture, where nothing says how wide the terminal is.
const DEFAULT_WIDTH: usize = 100;

/// The kind of picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Picture {
    /// Text
    #[default]
    Text,
    /// An SVG document
    Svg,
}

/// Draw which chunk of an array is on which member
///
/// As many rows as it takes for the pattern to show. Text, also where standard output is no terminal.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Draw {
    /// The array: a name, a uuid, or a volume; may be left out where there is only one
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// The kind of picture
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t, help_heading = "Output")]
    output: Picture,

    #[command(flatten)]
    degraded: DegradedArgs,

    #[command(flatten)]
    source: SourceArgs,
}

impl Draw {
    pub(super) fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        let source = self.source.load(console)?;
        let array = source.array(self.array.as_deref())?;
        let picture = match self.output {
            Picture::Text => text(array, width(), console.has_color()),
            Picture::Svg => svg(array),
        };
        let picture = picture.map_err(|error| format!("{}: {error}", array.name));
        console.text(&picture.or_exit(Exit::BadData)?)?;
        Ok(source.exit(Exit::Done))
    }
}

fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|&columns| columns > 0).unwrap_or(DEFAULT_WIDTH)
}
