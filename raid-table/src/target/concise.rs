//! Tables as dmsetup writes and reads them.
//!
//! The concise form is one line for `dmsetup create --concise`: `NAME,UUID,MINOR,FLAGS,LINE[,LINE…]`,
//! devices separated by `;`, a backslash before each `,`, `;` and backslash of the text. The flag `ro` makes
//! the table read-only; an empty minor lets the kernel choose.

use super::line::Line;
use super::words::TargetError;
use raid_meta::record::{TableLine, TableRecord};

/// All devices in one line, without the line end.
#[must_use]
pub fn concise(tables: &[TableRecord]) -> String {
    let device = |table: &TableRecord| {
        let flags = if table.read_only { "ro" } else { "rw" };
        let head = [table.name.clone(), table.uuid.clone(), String::new(), flags.to_owned()];
        let fields: Vec<String> =
            head.into_iter().chain(table.lines.iter().map(text)).map(|field| escape(&field)).collect();
        fields.join(",")
    };
    tables.iter().map(device).collect::<Vec<_>>().join(";")
}

/// The lines `NAME: START LENGTH TARGET PARAMETERS` that `dmsetup table` prints.
pub fn plain(tables: &[TableRecord]) -> impl Iterator<Item = String> + '_ {
    tables.iter().flat_map(|table| table.lines.iter().map(|line| format!("{}: {}", table.name, text(line))))
}

fn text(line: &TableLine) -> String {
    let head = format!("{} {} {}", line.start_sectors, line.length_sectors, line.target);
    if line.params.is_empty() { head } else { format!("{head} {}", line.params) }
}

fn escape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    for character in field.chars() {
        if matches!(character, ',' | ';' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// One device of a concise line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConciseDevice {
    /// dm name.
    pub name: String,
    /// dm uuid; empty when none.
    pub uuid: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// The table.
    pub lines: Vec<Line>,
}

/// Reads a concise line.
///
/// # Errors
/// The first line of a table that can not be read, or a device with too few fields.
pub fn read_concise(line: &str) -> Result<Vec<ConciseDevice>, TargetError> {
    fields(line).into_iter().map(|fields| device(&fields)).collect()
}

/// The devices, each as its fields.
fn fields(line: &str) -> Vec<Vec<String>> {
    let mut devices = vec![vec![String::new()]];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let Some(device) = devices.last_mut() else { break };
        match character {
            ';' => devices.push(vec![String::new()]),
            ',' => device.push(String::new()),
            _ => {
                let plain = if character == '\\' { characters.next().unwrap_or('\\') } else { character };
                if let Some(field) = device.last_mut() {
                    field.push(plain);
                }
            }
        }
    }
    devices
}

fn device(fields: &[String]) -> Result<ConciseDevice, TargetError> {
    let [name, uuid, _minor, flags, lines @ ..] = fields else {
        return Err(TargetError::Ends { target: "concise", expected: "name, uuid, minor and flags" });
    };
    let lines = lines.iter().map(|line| line.parse()).collect::<Result<_, _>>()?;
    Ok(ConciseDevice { name: name.clone(), uuid: uuid.clone(), read_only: flags.trim() == "ro", lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use raid_meta::record::{TableRole, V1};
    use raid_meta::units::Sectors;

    fn table(name: &str, read_only: bool, params: &str) -> TableRecord {
        let line = TableLine {
            start_sectors: Sectors::ZERO,
            length_sectors: Sectors(8),
            target: "linear".to_owned(),
            params: params.to_owned(),
        };
        TableRecord {
            v: V1,
            name: name.to_owned(),
            uuid: format!("UUID-{name}"),
            array: "a".to_owned(),
            role: TableRole::Array,
            depends: Vec::new(),
            read_only,
            lines: vec![line],
        }
    }

    #[test]
    fn several_devices_are_one_line_that_reads_back() {
        let tables = [table("a", false, "/dev/sda 0"), table("b", true, "/dev/x\\ y,z;\\\\ 4")];
        let line = concise(&tables);
        assert_eq!(
            line,
            "a,UUID-a,,rw,0 8 linear /dev/sda 0;b,UUID-b,,ro,0 8 linear /dev/x\\\\ y\\,z\\;\\\\\\\\ 4"
        );
        let devices = read_concise(&line).unwrap();
        assert_eq!(devices.len(), 2);
        assert!(devices[1].read_only && !devices[0].read_only);
        assert_eq!(devices[1].lines[0].to_string(), "0 8 linear /dev/x\\ y,z;\\\\ 4");
    }

    #[test]
    fn the_plain_form_is_that_of_dmsetup_table() {
        let lines: Vec<String> = plain(&[table("a", false, "/dev/sda 0")]).collect();
        assert_eq!(lines, ["a: 0 8 linear /dev/sda 0"]);
    }
}
