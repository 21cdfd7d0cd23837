//! The arguments that the programs share, to be flattened into their definitions.

use super::input::{InputError, Spec};
use super::output::Style;
use super::serial;
use crate::device::Device;
use crate::format::{FORMATS, Format, by_name};
use crate::probe;
use crate::units::{Bytes, SectorSize, Sectors};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, ValueEnum};
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What every program and command takes.
#[derive(Clone, Debug, Default, Args)]
pub struct CommonArgs {
    /// When to colour text
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, help_heading = "Messages")]
    color: ColorWhen,

    /// More detail, and warnings and notes on standard error
    #[arg(short, long, global = true, action = ArgAction::SetTrue, overrides_with_all = ["verbose", "quiet"],
        help_heading = "Messages")]
    verbose: bool,

    /// Say only what failed; the exit status says the rest
    #[arg(short, long, global = true, action = ArgAction::SetTrue, overrides_with_all = ["quiet", "verbose"],
        help_heading = "Messages")]
    quiet: bool,
}

impl CommonArgs {
    /// Whether `-v` was given.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether `-q` was given.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether to colour what goes to a stream that is a terminal or is not.
    #[must_use]
    pub fn colors(&self, terminal: bool) -> bool {
        let no_color = || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => terminal && !no_color(),
        }
    }
}

/// The output formats of a command: the values of `--output`.
pub trait OutputFormat: ValueEnum + Copy + PartialEq + Send + Sync + 'static {
    /// Readable text: the default on a terminal.
    const TEXT: Self;
    /// JSON Lines: the default elsewhere.
    const JSON: Self;
}

/// The formats of a command that prints nothing but records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordFormat {
    /// Readable text; the default on a terminal
    Text,
    /// JSON Lines; the default elsewhere
    Json,
}

impl OutputFormat for RecordFormat {
    const TEXT: Self = Self::Text;
    const JSON: Self = Self::Json;
}

/// How results are printed.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs<F: OutputFormat = RecordFormat> {
    /// How to print
    #[arg(short, long, value_name = "FORMAT", value_enum, overrides_with_all = ["output", "json", "export"],
        help_heading = "Output")]
    output: Option<F>,

    /// Print JSON Lines: the same as -o json
    #[arg(short = 'J', long, overrides_with_all = ["output", "json", "export"], help_heading = "Output")]
    json: bool,

    /// Print RAID_FIELD='value' lines for a shell
    #[arg(long, overrides_with_all = ["output", "json", "export"], help_heading = "Output")]
    export: bool,
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen<F> {
    /// One of the styles in which every record can be printed.
    Style(Style),
    /// A format of the command's own.
    Own(F),
}

impl<F: OutputFormat> OutputArgs<F> {
    /// What was chosen: by an option, else text on a terminal and JSON Lines elsewhere.
    #[must_use]
    pub fn chosen(&self) -> Chosen<F> {
        self.chosen_on(io::stdout().is_terminal())
    }

    fn chosen_on(&self, terminal: bool) -> Chosen<F> {
        match self.output {
            _ if self.export => Chosen::Style(Style::Export),
            _ if self.json => Chosen::Style(Style::Json),
            None if terminal => Chosen::Style(Style::Text),
            None => Chosen::Style(Style::Json),
            Some(format) if format == F::TEXT => Chosen::Style(Style::Text),
            Some(format) if format == F::JSON => Chosen::Style(Style::Json),
            Some(format) => Chosen::Own(format),
        }
    }
}

impl OutputArgs<RecordFormat> {
    /// The style chosen.
    #[must_use]
    pub fn style(&self) -> Style {
        match self.chosen() {
            Chosen::Style(style) => style,
            Chosen::Own(RecordFormat::Text) => Style::Text,
            Chosen::Own(RecordFormat::Json) => Style::Json,
        }
    }
}

/// How devices are opened and what is looked for on them.
#[derive(Clone, Default, Args)]
pub struct DeviceArgs {
    /// Serial number of a disk image; else the line in the file PATH.serial
    #[arg(long, value_name = "PATH[@OFFSET]=TEXT", help_heading = "Devices")]
    pub serial: Vec<OsString>,

    /// Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks
    #[arg(long, value_name = "BYTES", value_parser = sector_size, help_heading = "Devices")]
    pub sector_size: Option<SectorSize>,

    /// The order of the arguments is the order of the slots, where the metadata can not say
    #[arg(long, help_heading = "Devices")]
    pub assume_order: bool,

    /// Use DIR/sys and DIR/dev in place of /sys and /dev
    #[arg(long, value_name = "DIR", help_heading = "Devices")]
    pub sysroot: Option<PathBuf>,

    /// Formats to look for, separated by commas; all unless told
    #[arg(long = "format", value_name = "FORMAT,…", value_delimiter = ',', value_parser = format_parser(),
        help_heading = "Devices")]
    pub formats: Vec<&'static dyn Format>,
}

impl DeviceArgs {
    /// What to look for.
    #[must_use]
    pub fn options(&self) -> probe::Options {
        let mut options = probe::Options { assume_order: self.assume_order, ..probe::Options::default() };
        if !self.formats.is_empty() {
            options.formats.clone_from(&self.formats);
        }
        options
    }

    /// The same without the serial numbers that are for one path, which is not among those of the command's sources.
    #[must_use]
    pub fn without_serials_of(&self, path: &Path) -> Self {
        let is_other = |option: &&OsString| !serial::is_for(path, option);
        Self { serial: self.serial.iter().filter(is_other).cloned().collect(), ..self.clone() }
    }

    /// The serial number that `--serial` gives for the disk whose image begins at a place of a device.
    #[must_use]
    pub fn serial_of_window(&self, path: &Path, offset: Bytes) -> Option<String> {
        serial::of_window(path, offset, &self.serial)
    }

    /// The directory that holds `sys` and `dev`.
    #[must_use]
    pub fn sysroot(&self) -> &Path {
        self.sysroot.as_deref().unwrap_or(Path::new("/"))
    }

    /// Opens a window that a record names.
    ///
    /// # Errors
    /// As [`Spec::open`].
    pub fn open_recorded(
        &self,
        device: &str,
        offset: Sectors,
        length: Option<Sectors>,
    ) -> Result<Device, InputError> {
        Spec::recorded(device, offset, length).open(self)
    }
}

/// Where a command gets its devices or records from.
#[derive(Clone, Default, Args)]
pub struct SourceArgs {
    /// Devices or images, or windows of them; without any, records are read from standard input
    #[arg(value_name = "PATH[@OFFSET[+LENGTH]]")]
    pub paths: Vec<OsString>,

    /// How they are opened
    #[command(flatten)]
    pub devices: DeviceArgs,
}

/// Reads a sector size.
pub(super) fn sector_size(text: &str) -> Result<SectorSize, String> {
    let bytes = text.parse().ok().and_then(SectorSize::new);
    bytes.ok_or_else(|| "expected a power of two from 512 to 65536".to_owned())
}

/// Reads the name of a format.
#[must_use]
pub fn format_parser() -> impl TypedValueParser<Value = &'static dyn Format> {
    let names = FORMATS.iter().map(|format| format.name());
    PossibleValuesParser::new(names).try_map(|name| by_name(&name).ok_or("no such format"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Tool {
        #[command(flatten)]
        common: CommonArgs,
        #[command(flatten)]
        output: OutputArgs,
        #[command(flatten)]
        source: SourceArgs,
    }

    fn parsed(arguments: &[&str]) -> Tool {
        Tool::try_parse_from([&["tool"], arguments].concat()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_last_of_contradictory_options_wins() {
        let style = |arguments: &[&str]| parsed(arguments).output.chosen_on(false);
        assert_eq!(style(&[]), Chosen::Style(Style::Json));
        assert_eq!(style(&["-o", "text", "-J"]), Chosen::Style(Style::Json));
        assert_eq!(style(&["-J", "-o", "text"]), Chosen::Style(Style::Text));
        assert_eq!(style(&["-J", "-o", "json", "--export"]), Chosen::Style(Style::Export));
        assert_eq!(parsed(&[]).output.chosen_on(true), Chosen::Style(Style::Text));
        let tool = parsed(&["-v", "-q"]);
        assert!(tool.common.is_quiet() && !tool.common.is_verbose());
        let tool = parsed(&["-q", "-v", "-v"]);
        assert!(tool.common.is_verbose() && !tool.common.is_quiet());
    }

    #[test]
    fn formats_are_a_list_of_known_names() {
        let formats = parsed(&["--format", "md,isw"]).source.devices.options().formats;
        assert_eq!(formats.iter().map(|format| format.name()).collect::<Vec<_>>(), ["md", "isw"]);
        assert_eq!(parsed(&[]).source.devices.options().formats.len(), FORMATS.len());
        assert!(Tool::try_parse_from(["tool", "--format", "md,bogus"]).is_err());
    }

    #[test]
    fn a_sector_size_is_a_power_of_two() {
        assert_eq!(parsed(&["--sector-size", "4096"]).source.devices.sector_size, Some(SectorSize::B4096));
        for wrong in ["0", "513", "131072", "x", ""] {
            assert!(Tool::try_parse_from(["tool", "--sector-size", wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn colors_are_for_terminals_unless_told() {
        assert!(!parsed(&[]).common.colors(false));
        assert!(parsed(&["--color", "always"]).common.colors(false));
        assert!(!parsed(&["--color", "never"]).common.colors(true));
    }
}
